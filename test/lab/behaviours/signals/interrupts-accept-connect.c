// accept, and a connect that waits for the other side to accept, end with EINTR or go on as the handler asks.
#include "../../interrupts.h"

static int server;
static struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0interrupts"};
static void call_it(void) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&name, sizeof name)) abort();
}
static void answer_it(void) {
  for (int flags = 0; accept(server, NULL, NULL) >= 0; fcntl(server, F_SETFL, O_NONBLOCK)) (void)flags;
  fcntl(server, F_SETFL, 0);
}

BEHAVIOUR {
  server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr *)&name, sizeof name) || listen(server, 0)) abort();
  INTERRUPTED(accept(server, NULL, NULL));
  RESTARTED(call_it, accept(server, NULL, NULL) > 0);
  INTERRUPTED(accept4(server, NULL, NULL, SOCK_CLOEXEC));
  call_it();                                          // the only place is taken
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  INTERRUPTED(connect(fd, (struct sockaddr *)&name, sizeof name));
  RESTARTED(answer_it, connect(fd, (struct sockaddr *)&name, sizeof name));
}
