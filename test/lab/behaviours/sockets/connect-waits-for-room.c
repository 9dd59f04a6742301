// A connect to a listener whose queue is full waits until there is room, gives EAGAIN if it may not wait, and EINTR when a handler ran.
#include "../../lab.h"

static struct sockaddr_un un = {AF_UNIX, "listener"};
static int listener;
static void take(void) { close(accept(listener, NULL, NULL)); }
static void handler(int signal) { (void)signal; }
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listener, (void *)&un, sizeof un) || listen(listener, 0)) abort();
  int fd[4];
  for (int i = 0; i < 4; ++i) fd[i] = socket(AF_UNIX, SOCK_STREAM | (i == 1 ? SOCK_NONBLOCK : 0), 0);
  DO(connect(fd[0], (void *)&un, sizeof un));
  DO(connect(fd[1], (void *)&un, sizeof un));
  pthread_t other = later(60, take);
  DO(connect(fd[2], (void *)&un, sizeof un));
  pthread_join(other, NULL);
  other = later(60, send_it);
  DO(connect(fd[3], (void *)&un, sizeof un));
  pthread_join(other, NULL);
  DO(write(fd[2], "x", 1));
  DO(write(fd[3], "x", 1));
  DO(unlink("listener"));
}
