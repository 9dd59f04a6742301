// An interval timer goes on over exec, and its signal comes to the program that is executed.
#include "../../lab.h"
#include <sys/time.h>

static volatile sig_atomic_t caught;
static void handler(int signal) { (void)signal; ++caught; }

BEHAVIOUR {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  if (lab_argc > 1) {
    signal(SIGALRM, handler);
    AT(sigprocmask(SIG_BLOCK, NULL, &old));
    sigdelset(&old, SIGALRM);
    while (caught < 1) sigsuspend(&old);
    SAY("caught");
    struct itimerval timer = {0}, had;
    DO(setitimer(ITIMER_REAL, &timer, &had));
    SAY("every %d ms", (int)had.it_interval.tv_usec / 1000);
    return;
  }
  DO(sigprocmask(SIG_BLOCK, &set, NULL));
  DO(setitimer(ITIMER_REAL, &(struct itimerval){{0, 90000}, {0, 90000}}, NULL));
  char *words[] = {"again", "x", NULL};
  lab_point("exec");
  execv("/proc/self/exe", words);
}
