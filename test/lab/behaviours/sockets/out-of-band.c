// Urgent data is told by SIGURG and POLLPRI, marked in the stream, and read apart.
#include "../../lab.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>

static volatile sig_atomic_t urgent;
static void handler(int signal) { urgent += signal == SIGURG; }

BEHAVIOUR {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof where;
  char text[16] = "";
  int mark = -1;
  const int listener = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (void *)&where, sizeof where);
  listen(listener, 1);
  getsockname(listener, (void *)&where, &length);
  DO(connect(out, (void *)&where, sizeof where));
  const int in = TRY(accept(listener, NULL, NULL));
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGURG, &action, NULL);
  fcntl(in, F_SETOWN, getpid());
  DO(send(out, "abc", 3, 0));
  DO(send(out, "!", 1, MSG_OOB));
  DO(send(out, "def", 3, 0));
  struct pollfd p = {in, POLLPRI, 0};
  DO(poll(&p, 1, 5000));
  SAY("%x", p.revents);
  AT(for (int i = 0; i < 500 && !urgent; ++i) sleep_ms(2));
  HOLDS(urgent > 0);
  DO(recv(in, text, 16, 0));
  DO(sockatmark(in));
  DO(ioctl(in, SIOCATMARK, &mark));
  SAY("%d", mark);
  DO(recv(in, text + 8, 1, MSG_OOB));
  DO(recv(in, text + 8, 1, MSG_OOB));
  DO(recv(in, text + 3, 3, MSG_WAITALL));
  SAY("%s %c", text, text[8]);
  DO(send(out, "x", 1, MSG_OOB));
}
