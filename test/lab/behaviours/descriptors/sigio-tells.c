// O_ASYNC sends SIGIO, or the signal of F_SETSIG with the descriptor, to the owner when data comes.
#include "../../lab.h"
#include <poll.h>

static volatile sig_atomic_t io, fd_of, code;
static void plain(int signal) { io += signal == SIGIO; }
static void with_info(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  fd_of = info->si_fd;
  code = info->si_code;
}

BEHAVIOUR {
  int pair[2];
  char text[8];
  signal(SIGIO, plain);
  struct sigaction action = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN + 2, &action, NULL);
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  DO(fcntl(pair[0], F_SETOWN, getpid()));
  HOLDS(fcntl(pair[0], F_GETOWN) == getpid());
  DO(fcntl(pair[0], F_SETFL, O_ASYNC));
  DO(write(pair[1], "a", 1));
  AT(for (int i = 0; i < 300 && !io; ++i) sleep_ms(2));
  HOLDS(io > 0);
  DO(read(pair[0], text, 1));
  DO(fcntl(pair[0], F_SETSIG, SIGRTMIN + 2));
  HOLDS(fcntl(pair[0], F_GETSIG) == SIGRTMIN + 2);
  DO(write(pair[1], "b", 1));
  AT(for (int i = 0; i < 300 && !fd_of; ++i) sleep_ms(2));
  HOLDS(fd_of == pair[0] && code == POLL_IN);
  struct f_owner_ex owner = {F_OWNER_TID, gettid()};
  DO(fcntl(pair[0], F_SETOWN_EX, &owner));
  owner.type = -1;
  DO(fcntl(pair[0], F_GETOWN_EX, &owner));
  HOLDS(owner.type == F_OWNER_TID && owner.pid == gettid());
  DO(fcntl(pair[0], F_SETSIG, 77));
}
