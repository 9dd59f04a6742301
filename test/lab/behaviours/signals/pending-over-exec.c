// An execve keeps the mask, the pending signals with their information, what is ignored, and the alarm; handlers and the alternate stack go.
#include "../../lab.h"
#include <sys/time.h>

static void handler(int signal) { (void)signal; }
extern char **environ;

BEHAVIOUR {
  sigset_t set, now;
  if (lab_argc == 1) {
    static char stack[65536];
    stack_t mine = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&mine, NULL);
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGALRM);
    sigaddset(&set, SIGRTMIN + 1);
    DO(sigprocmask(SIG_BLOCK, &set, NULL));
    DO(kill(getpid(), SIGUSR1));
    DO(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 31}));
    DO(pthread_sigqueue(pthread_self(), SIGRTMIN + 1, (union sigval){.sival_int = 32}));
    struct itimerval soon = {.it_value = {0, 300000}};
    DO(setitimer(ITIMER_REAL, &soon, NULL));
    char *words[] = {lab_argv[0], (char *)"again", NULL};
    AT(execve("/proc/self/exe", words, environ));
    abort();
  }
  stack_t old;
  DO(sigaltstack(NULL, &old));
  SAY("alternate stack %x", old.ss_flags);
  DO(sigprocmask(SIG_BLOCK, NULL, &set));
  // The alarm goes off meanwhile on a busy machine: in what order the signals are taken must not depend on it.
  for (sigpending(&now); sigismember(&now, SIGALRM) != 1; sigpending(&now)) usleep(10000);
  for (int s = 1; s < 65; ++s)
    if (sigismember(&set, s) == 1) SAY("%d blocked, pending %d", s, sigismember(&now, s));
  struct sigaction action;
  sigaction(SIGUSR1, NULL, &action);
  SAY("USR1 default %d", action.sa_handler == SIG_DFL);
  sigaction(SIGUSR2, NULL, &action);
  SAY("USR2 ignored %d", action.sa_handler == SIG_IGN);
  siginfo_t info;
  for (int i = 0; i < 4; ++i) {
    DO(sigwaitinfo(&set, &info));
    SAY("code %d value %d", info.si_code, info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
  }
}
