// A child has its parent's directory, mask, dispositions, alternate stack, nice value, and none of its pending signals, timers and alarms.
#include "../../lab.h"
#include <sys/resource.h>
#include <sys/time.h>

static void handler(int signal) { (void)signal; }

BEHAVIOUR {
  DO(mkdir("deep", 0700));
  DO(chdir("deep"));
  static char room[16384];
  DO(sigaltstack(&(stack_t){.ss_sp = room, .ss_size = sizeof room}, NULL));
  sigset_t set, now;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  DO(sigprocmask(SIG_BLOCK, &set, NULL));
  signal(SIGUSR2, handler);
  signal(SIGHUP, SIG_IGN);
  DO(kill(getpid(), SIGUSR1));
  DO(setpriority(PRIO_PROCESS, 0, 3));
  DO((int)alarm(1000));
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("in the child");
    stack_t stack;
    struct sigaction action;
    struct itimerval timer;
    char where[4096];
    int good = 0;
    good += !sigpending(&now) && !sigismember(&now, SIGUSR1);
    good += !sigprocmask(SIG_BLOCK, NULL, &now) && sigismember(&now, SIGUSR1);
    good += !sigaction(SIGUSR2, NULL, &action) && action.sa_handler == handler;
    good += !sigaction(SIGHUP, NULL, &action) && action.sa_handler == SIG_IGN;
    good += !sigaltstack(NULL, &stack) && stack.ss_sp == room;
    good += !getitimer(ITIMER_REAL, &timer) && timer.it_value.tv_sec == 0;
    good += getpriority(PRIO_PROCESS, 0) == 3;
    good += getcwd(where, sizeof where) && strcmp(where + strlen(where) - 5, "/deep") == 0;
    _exit(good);
  }
  SAY("%d of 8", ended(child));
  HOLDS(alarm(0) > 900);
  DO(sigpending(&now));
  SAY("still pending: %d", sigismember(&now, SIGUSR1));
}
