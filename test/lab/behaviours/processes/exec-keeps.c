// What a program has that is executed: number, parent, directory, umask, mask, pending signals, what is ignored, alarm, limits, nice value.
#include "../../lab.h"
#include <sys/resource.h>

static void handler(int signal) { (void)signal; }

BEHAVIOUR {
  sigset_t set;
  sigemptyset(&set);
  if (lab_argc > 1) {
    struct rlimit limit;
    struct sigaction action;
    stack_t stack;
    HOLDS(atoi(lab_argv[1]) == getpid() && atoi(lab_argv[2]) == getppid());
    SAY("umask %03o", umask(022));
    DO(access("file", F_OK));
    DO(sigprocmask(SIG_BLOCK, NULL, &set));
    SAY("blocked %d %d", sigismember(&set, SIGUSR1), sigismember(&set, SIGRTMIN + 3));
    DO(sigpending(&set));
    SAY("pending %d %d", sigismember(&set, SIGUSR1), sigismember(&set, SIGRTMIN + 3));
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 3);
    HOLDS(sigwaitinfo(&set, &info) == SIGRTMIN + 3 && info.si_value.sival_int == 4711);
    sigaction(SIGUSR2, NULL, &action);
    SAY("ignored %d", action.sa_handler == SIG_IGN);
    sigaction(SIGHUP, NULL, &action);
    SAY("default %d flags %d", action.sa_handler == SIG_DFL, action.sa_flags & SA_RESTART);
    sigaltstack(NULL, &stack);
    SAY("no stack %d", stack.ss_flags == SS_DISABLE);
    HOLDS(alarm(0) > 900);
    DO(getrlimit(RLIMIT_NOFILE, &limit));
    SAY("limit %d", (int)limit.rlim_cur);
    DO(getpriority(PRIO_PROCESS, 0));
    return;
  }
  DO(mkdir("deep", 0755));
  DO(chdir("deep"));
  DO(open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  AT(umask(0137));
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 3);
  DO(sigprocmask(SIG_BLOCK, &set, NULL));
  DO(kill(getpid(), SIGUSR1));
  DO(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 4711}));
  signal(SIGUSR2, SIG_IGN);
  sigaction(SIGHUP, &(struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART}, NULL);
  static char room[16384];
  sigaltstack(&(stack_t){.ss_sp = room, .ss_size = sizeof room}, NULL);
  AT(alarm(1000));
  DO(setrlimit(RLIMIT_NOFILE, &(struct rlimit){950, 1000}));
  DO(setpriority(PRIO_PROCESS, 0, 5));
  char own[20], parent[20], *words[] = {"again", own, parent, NULL};
  sprintf(own, "%d", getpid());
  sprintf(parent, "%d", getppid());
  lab_point("exec");
  execv("/proc/self/exe", words);
  SAY("%s", lab_error(errno));
}
