// accept waits, gives EAGAIN where it may not, EINTR when a handler ran, and connections in the order they came.
#include "../../lab.h"

static struct sockaddr_un un = {AF_UNIX, "listener"};
static void handler(int signal) { (void)signal; }
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  char c;
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  const int fd = DO(socket(AF_UNIX, SOCK_STREAM, 0));
  DO(accept(fd, NULL, NULL));
  DO(bind(fd, (void *)&un, sizeof un));
  DO(listen(fd, 2));
  const pthread_t other = later(60, send_it);
  DO(accept(fd, NULL, NULL));
  pthread_join(other, NULL);
  int client[3];
  for (int i = 0; i < 3; ++i) {
    client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    DO(connect(client[i], (void *)&un, sizeof un));
    if (write(client[i], "012" + i, 1) != 1) abort();
  }
  const int late = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  DO(connect(late, (void *)&un, sizeof un));
  struct sockaddr_un from;
  for (int i = 0; i < 3; ++i) {
    socklen_t length = sizeof from;
    const int in = TRY(accept4(fd, (void *)&from, &length, SOCK_NONBLOCK));
    DO(read(in, &c, 1));
    SAY("%c %d", c, (int)length);
    DO(read(in, &c, 1));
  }
  DO(fcntl(fd, F_SETFL, O_NONBLOCK));
  DO(accept(fd, NULL, NULL));
  DO(accept4(fd, NULL, NULL, 1));
  unlink("listener");
}
