// A read of a signalfd waits for a signal, of the process or of the reading thread, and poll wakes as well.
#include "../../lab.h"
#include <poll.h>
#include <sys/signalfd.h>

static pthread_t main_thread;
static void to_process(void) { kill(getpid(), SIGUSR1); }
static void to_thread(void) { pthread_kill(main_thread, SIGUSR1); }
static void to_other(void) { pthread_kill(pthread_self(), SIGUSR1); }

BEHAVIOUR {
  main_thread = pthread_self();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct signalfd_siginfo info;
  const int fd = signalfd(-1, &set, SFD_CLOEXEC);
  pthread_t other = later(60, to_process);
  DO(read(fd, &info, sizeof info));
  SAY("signo %u code %d", info.ssi_signo, info.ssi_code);
  pthread_join(other, NULL);
  other = later(60, to_thread);
  DO(read(fd, &info, sizeof info));
  SAY("signo %u code %d", info.ssi_signo, info.ssi_code);
  pthread_join(other, NULL);
  struct pollfd one = {.fd = fd, .events = POLLIN};
  other = later(30, to_other);
  DO(poll(&one, 1, 200));
  pthread_join(other, NULL);
  other = later(60, to_process);
  DO(poll(&one, 1, -1));
  pthread_join(other, NULL);
  DO(read(fd, &info, sizeof info));
}
