// A handler may leave a blocked call by siglongjmp, again and again; siglongjmp gives the mask back and longjmp does not.
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile sig_atomic_t turns;
static int ends[2];
static void handler(int signal) { (void)signal, siglongjmp(back, ++turns); }
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  DO(pipe(ends));
  for (volatile int i = 0; i < 5; ++i) {
    pthread_t other = later(50, send_it);
    const int jumped = sigsetjmp(back, i < 4);
    char c;
    struct timespec time = {20, 0};
    if (!jumped) {
      if (i % 2) AT(nanosleep(&time, &time));
      else AT(if (read(ends[0], &c, 1) < 0) abort());
      abort();
    }
    pthread_join(other, NULL);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    SAY("jumped %d, blocked %d", jumped, sigismember(&mask, SIGUSR1));
  }
}
