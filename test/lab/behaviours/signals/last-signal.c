// The last real-time signal is one like the others: it ends a program, is ignored, handled, blocked, waited for and read.
// home: signalfd4
// refused: signal 64 (SIGRTMAX) waits for it
// refused: it reads signal 64 (SIGRTMAX) from a signalfd
#include "../../lab.h"
#include <sys/signalfd.h>

static volatile sig_atomic_t values[8], count;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  values[count++ % 8] = signal * 1000 + (info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
}

static void show(void) {
  SAY("%d: %d %d %d", count, values[0], values[1], values[2]);
  count = 0;
}
static void send_value(int value) { sigqueue(getpid(), 64, (union sigval){.sival_int = value}); }
static void send_later(void) { send_value(7); }

BEHAVIOUR {
  const pid_t child = FORK();
  if (child == 0) {
    DO(kill(getpid(), 64));
    _exit(0);
  }
  SAY("%d", ended(child));
  const pid_t waiting = FORK();
  if (waiting == 0) {
    AT(pause());
    _exit(0);
  }
  sleep_ms(100);
  kill(waiting, 64);
  SAY("%d", ended(waiting));
  signal(64, SIG_IGN);
  DO(kill(getpid(), 64));
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, told;
  DO(sigaction(64, &action, NULL));
  DO(sigaction(64, NULL, &told));
  HOLDS(told.sa_sigaction == handler);
  DO(raise(64));
  show();
  AT(send_value(1));                                  // what a move is ordered with, but for its sender
  AT(send_value(2));
  show();
  sigset_t last, pending;
  sigemptyset(&last);
  sigaddset(&last, 64);
  sigprocmask(SIG_BLOCK, &last, NULL);
  AT(send_value(3));
  AT(send_value(4));
  DO(sigpending(&pending));
  SAY("%d, pending %d", count, sigismember(&pending, 64));
  DO(sigprocmask(SIG_UNBLOCK, &last, NULL));
  show();
  sigprocmask(SIG_BLOCK, &last, NULL);
  pthread_t other = later(50, send_later);
  siginfo_t info;
  DO(sigwaitinfo(&last, &info));
  SAY("%d", info.si_value.sival_int);
  pthread_join(other, NULL);
  const int fd = DO(signalfd(-1, &last, 0));
  other = later(50, send_later);
  struct signalfd_siginfo read_info = {};
  AT(if (read(fd, &read_info, sizeof read_info) != sizeof read_info) SAY("short"));
  SAY("%u %d", read_info.ssi_signo, read_info.ssi_int);
  pthread_join(other, NULL);
  close(fd);
  DO(getppid() > 0);
}
