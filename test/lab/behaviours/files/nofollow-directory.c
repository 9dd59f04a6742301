// O_NOFOLLOW refuses a link at the end of a name, not before; O_DIRECTORY refuses what is none.
#include "../../lab.h"

BEHAVIOUR {
  char target[16] = "";
  DO(mkdir("d", 0700));
  DO(symlink("d", "link"));
  DO(close(open("d/f", O_CREAT | O_WRONLY, 0600)));
  DO(symlink("d/f", "flink"));
  DO(open("flink", O_RDONLY | O_NOFOLLOW));
  const int fd = DO(open("link/f", O_RDONLY | O_NOFOLLOW));
  DO(open("link", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  DO(open("d/f", O_RDONLY | O_DIRECTORY));
  DO(open("d", O_WRONLY));
  DO(open("d", O_RDWR));
  const int link = DO(open("flink", O_PATH | O_NOFOLLOW));
  DO(readlinkat(link, "", target, sizeof target));
  SAY("%s", target);
  DO(read(fd, target, sizeof target));
  DO(open("d/f/more", O_RDONLY));
  DO(open("d/f/", O_RDONLY));
  DO(open("", O_RDONLY));
}
