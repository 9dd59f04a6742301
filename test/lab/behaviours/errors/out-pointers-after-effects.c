// Some calls have done their work when they find that the answer cannot be stored.
// home: fork
#include "../../lab.h"
#include <sys/timerfd.h>

BEHAVIOUR {
  void *bad = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const pid_t child = FORK();
  if (!child) _exit(3);
  DO(waitpid(child, bad, 0));
  DO(waitpid(child, NULL, 0));
  const int timer = DO(timerfd_create(CLOCK_MONOTONIC, 0));
  struct itimerspec set = {{0, 0}, {1000, 0}}, now;
  DO(timerfd_settime(timer, 0, &set, bad));
  DO(timerfd_gettime(timer, &now));
  SAY("%d", now.it_value.tv_sec >= 900);
  DO(timerfd_gettime(timer, bad));
  DO(sigprocmask(SIG_BLOCK, &(sigset_t){0}, NULL));
  sigset_t usr, seen;
  sigemptyset(&usr);
  sigaddset(&usr, SIGUSR1);
  DO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &usr, bad, 8));
  DO(sigprocmask(SIG_SETMASK, NULL, &seen));
  SAY("blocked %d", sigismember(&seen, SIGUSR1));
  DO(syscall(SYS_uname, bad));
  DO(syscall(SYS_sysinfo, bad));
  DO(syscall(SYS_times, bad));
  DO(syscall(SYS_getrusage, 0, bad));
  DO(syscall(SYS_getrlimit, 7, bad));
}
