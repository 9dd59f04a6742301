// A signal ends a write to a full pipe with what is in already.
#include "../../lab.h"

static void handler(int signal UNUSED) {}
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  static char data[200000];
  int ends[2];
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  DO(pipe(ends));
  DO(fcntl(ends[1], F_SETPIPE_SZ, 65536));
  pthread_t other = later(80, send_it);
  DO(write(ends[1], data, sizeof data));
  pthread_join(other, NULL);
  other = later(60, send_it);
  DO(write(ends[1], data, 1));
  pthread_join(other, NULL);
  DO(fcntl(ends[1], F_SETFL, O_NONBLOCK));
  DO(write(ends[1], data, 1));
  DO(read(ends[0], data, sizeof data));
  DO(write(ends[1], data, sizeof data));
}
