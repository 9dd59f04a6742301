// Signals of timers tell the timer's value, those of F_SETSIG the descriptor and what it is ready for.
#include "../../lab.h"

static siginfo_t last;
static volatile sig_atomic_t count;
static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)context, last = *info, ++count; }
static void wait_for(int n) { while (count < n) sleep_ms(1); }

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGRTMIN + 3, &action, NULL);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3};
  event.sigev_value.sival_ptr = (void *)0x1122334455667788;
  timer_t timer;
  struct itimerspec soon = {.it_value = {0, 50000000}};
  TRY(timer_create(CLOCK_MONOTONIC, &event, &timer));
  DO(timer_settime(timer, 0, &soon, NULL));
  AT(wait_for(1));
  SAY("timer: code %d value %p overrun %d", last.si_code == SI_TIMER, last.si_value.sival_ptr, last.si_overrun);
  AT(alarm(1));
  AT(wait_for(2));
  SAY("alarm: signo %d code %d", last.si_signo, last.si_code);
  int ends[2];
  DO(pipe(ends));
  DO(fcntl(ends[0], F_SETSIG, SIGRTMIN + 3));
  DO(fcntl(ends[0], F_SETOWN, getpid()));
  DO(fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
  DO(write(ends[1], "x", 1));
  AT(wait_for(3));
  SAY("io: signo %d code %d fd %d band %ld", last.si_signo - SIGRTMIN, last.si_code, last.si_fd == ends[0], last.si_band);
  DO(fcntl(ends[0], F_GETSIG) - SIGRTMIN);
  DO(close(ends[1]));
  AT(wait_for(4));
  SAY("io: code %d fd %d band %ld", last.si_code, last.si_fd == ends[0], last.si_band);
}
