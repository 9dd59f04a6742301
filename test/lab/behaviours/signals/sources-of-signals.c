// A handler learns who sent the signal and how: kill, tgkill, raise, sigqueue, pthread_sigqueue, pidfd_send_signal.
#include "../../lab.h"
#include <sys/pidfd.h>

static siginfo_t last;
static void handler(int signal, siginfo_t *info, void *context) { (void)signal, (void)context, last = *info; }
static void tell(const char *how) {
  SAY("%s: signo %d code %d errno %d mine %d uid %d value %d", how, last.si_signo, last.si_code, last.si_errno, last.si_pid == getpid(), (int)last.si_uid,
      last.si_code == SI_QUEUE ? last.si_value.sival_int : 0);
  memset(&last, 0xff, sizeof last);
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGRTMIN + 2, &action, NULL);
  DO(kill(getpid(), SIGUSR1)), tell("kill");
  DO(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1)), tell("tgkill");
  DO(syscall(SYS_tkill, gettid(), SIGUSR1)), tell("tkill");
  DO(raise(SIGRTMIN + 2)), tell("raise");
  DO(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = -7})), tell("sigqueue");
  DO(pthread_sigqueue(pthread_self(), SIGRTMIN + 2, (union sigval){.sival_int = 1 << 30})), tell("pthread_sigqueue");
  siginfo_t info = {.si_signo = SIGUSR1, .si_code = -60, .si_pid = 1234, .si_uid = 77};
  info.si_value.sival_ptr = (void *)0x123456789abc;
  DO(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
  SAY("code %d pid %d uid %d value %p", last.si_code, last.si_pid, last.si_uid, last.si_value.sival_ptr);
  const int fd = (int)TRY(syscall(SYS_pidfd_open, getpid(), 0));
  DO(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0)), tell("pidfd_send_signal");
  const pid_t child = FORK();
  if (child == 0) _exit(sigqueue(getppid(), SIGUSR1, (union sigval){.sival_int = 5}));
  SAY("child %d", ended(child));
  while (last.si_code != SI_QUEUE) sleep_ms(1);
  SAY("the child's %d, value %d", last.si_pid == child, last.si_value.sival_int);
}
