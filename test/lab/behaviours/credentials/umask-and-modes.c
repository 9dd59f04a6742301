// The mask of umask takes its bits from files, directories, fifos and sockets; only nine of its bits count.
#include "../../lab.h"

static void told(const char *name) {
  struct stat about;
  if (stat(name, &about)) abort();
  SAY("%s %o", name, about.st_mode & 07777);
}

BEHAVIOUR {
  AT(umask(0));
  SAY("%o", ({ lab_point("umask"); umask(07027); }));
  DO(close(open("file", O_CREAT | O_WRONLY, 06777)));
  DO(mkdir("dir", 01777));
  DO(mkfifo("fifo", 0666));
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
  const int fd = DO(socket(AF_UNIX, SOCK_STREAM, 0));
  DO(bind(fd, (struct sockaddr *)&name, sizeof name));
  DO(mknod("node", S_IFREG | 0666, 0));
  told("file"), told("dir"), told("fifo"), told("socket"), told("node");
  DO(unlink("fifo"));
  DO(unlink("socket"));
  SAY("%o", ({ lab_point("umask"); umask(0); }));
}
