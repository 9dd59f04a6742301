// Children that wait for connections at one listener take one each.
#include "../../lab.h"

static struct sockaddr_un un = {AF_UNIX, "listener"};

BEHAVIOUR {
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listener, (void *)&un, sizeof un) || listen(listener, 8)) abort();
  pid_t child[3];
  for (int i = 0; i < 3; ++i)
    if ((child[i] = FORK()) == 0) {
      char c;
      lab_point("accept");
      const int in = accept(listener, NULL, NULL);
      lab_point("serve");
      if (read(in, &c, 1) != 1 || (c += 1, write(in, &c, 1)) != 1) _exit(9);
      _exit(c);
    }
  AT(sleep_ms(30));
  int sum = 0;
  for (int i = 0; i < 3; ++i) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char c = (char)('a' + i);
    DO(connect(fd, (void *)&un, sizeof un));
    DO(write(fd, &c, 1));
    DO(read(fd, &c, 1));
    SAY("%c", c);
  }
  for (int i = 0; i < 3; ++i) sum += ended(child[i]);
  SAY("%d", sum);
  unlink("listener");
}
