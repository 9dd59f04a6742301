// sigwait, sigwaitinfo and sigtimedwait take pending signals, the thread's before the process's and lowest first, with what their sender told; without any, a zero time-out gives EAGAIN.
#include "../../lab.h"

static void send_it(void) { sigqueue(getpid(), SIGRTMIN + 4, (union sigval){.sival_int = 99}); }

BEHAVIOUR {
  sigset_t set, all;
  sigemptyset(&set);
  sigfillset(&all);
  for (int i = 0; i < 5; ++i) sigaddset(&set, SIGRTMIN + i);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  siginfo_t info;
  int signal = 0;
  memset(&info, 0xee, sizeof info);
  struct timespec zero = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0};
  DO(sigtimedwait(&set, &info, &zero));
  SAY("untouched %d", info.si_signo == (int)0xeeeeeeee);
  DO(sigtimedwait(&set, &info, &bad));
  DO(sigtimedwait(&set, &info, &negative));
  sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 1});
  sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 2});
  pthread_sigqueue(pthread_self(), SIGRTMIN + 2, (union sigval){.sival_int = 3});
  kill(getpid(), SIGTERM);
  DO(sigwaitinfo(&set, &info) - SIGRTMIN);
  SAY("value %d", info.si_value.sival_int);
  DO(sigtimedwait(&set, &info, &zero));
  SAY("code %d", info.si_code);
  DO(sigwait(&set, &signal));
  SAY("signal %d", signal - SIGRTMIN);
  DO(sigwaitinfo(&all, &info) - SIGRTMIN);
  SAY("value %d", info.si_value.sival_int);
  pthread_t other = later(60, send_it);
  DO(sigwaitinfo(&set, NULL) - SIGRTMIN);
  pthread_join(other, NULL);
  DO(syscall(SYS_rt_sigtimedwait, &set, &info, &zero, 8));
  DO(syscall(SYS_rt_sigtimedwait, &set, &info, &zero, 7));
  DO(syscall(SYS_rt_sigtimedwait, (void *)8, &info, &zero, 8));
  DO(syscall(SYS_rt_sigtimedwait, &set, &info, (void *)8, 8));
}
