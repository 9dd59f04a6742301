// A signalfd gives the signals that are blocked, with who sent them and their value; several at once; its mask can be changed.
#include "../../lab.h"
#include <sys/signalfd.h>

static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  struct signalfd_siginfo info[3] = {0};
  sigset_t set, more;
  sigemptyset(&set), sigaddset(&set, SIGUSR1);
  more = set, sigaddset(&more, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &more, NULL);
  int fd = DO(signalfd(-1, &set, SFD_CLOEXEC));
  const pthread_t other = later(60, send_it);
  DO(read(fd, info, sizeof info));
  HOLDS(info[0].ssi_signo == SIGUSR1 && info[0].ssi_pid == (unsigned)getpid() && info[0].ssi_code == SI_USER);
  pthread_join(other, NULL);
  union sigval value = {.sival_int = 4711};
  DO(sigqueue(getpid(), SIGRTMIN + 1, value));
  value.sival_int = 4712;
  DO(sigqueue(getpid(), SIGRTMIN + 1, value));
  DO(fcntl(fd, F_SETFL, O_NONBLOCK));
  DO(read(fd, info, sizeof info));
  DO(signalfd(fd, &more, 0) == fd);
  DO(read(fd, info, sizeof info));
  SAY("%d %d, %d", info[0].ssi_int, info[1].ssi_int, info[0].ssi_code == SI_QUEUE);
  DO(read(fd, info, 100));
  DO(signalfd(0, &set, 0));
  DO(signalfd(-1, &set, 5));
}
