// Sending signals: what is refused, and signal 0, which only asks.
#include "../../lab.h"

BEHAVIOUR {
  siginfo_t info = {.si_code = SI_USER};
  DO(kill(getpid(), 0));
  DO(kill(getpid(), 65));
  DO(kill(getpid(), -1));
  DO(kill(4000000, SIGTERM));
  DO(kill(-4000000, 0));
  DO(syscall(SYS_tgkill, getpid(), 4000000, 0));
  DO(syscall(SYS_tgkill, 1, gettid(), 0));
  DO(syscall(SYS_tgkill, -1, gettid(), 0));
  DO(syscall(SYS_tgkill, getpid(), 0, 0));
  DO(syscall(SYS_tkill, -5, 0));
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  DO(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, &info));
  info.si_code = SI_TKILL;
  DO(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, &info));
  DO(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, (void *)8));
  DO(syscall(SYS_rt_tgsigqueueinfo, getpid(), child, 0, &info));
  DO(kill(child, SIGKILL));
  sleep_ms(30);
  DO(kill(child, SIGTERM));                           // a zombie still is a process
  SAY("%d", ended(child));
  DO(kill(child, 0));
  GIVES(pthread_kill(pthread_self(), 0));
  GIVES(pthread_kill(pthread_self(), 100));
}
