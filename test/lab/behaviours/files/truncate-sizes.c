// truncate makes a file longer with zeros, or shorter, and leaves positions alone.
#include "../../lab.h"

BEHAVIOUR {
  char text[12];
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600)), reader = DO(open("file", O_RDONLY));
  DO(write(fd, "0123456789", 10));
  DO(ftruncate(fd, 4));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(write(fd, "z", 1));
  memset(text, '#', sizeof text);
  DO(read(reader, text, sizeof text));
  for (int i = 0; i < 12; ++i) if (!text[i]) text[i] = '0';
  SAY("%.12s", text);
  DO(ftruncate(reader, 1));
  DO(ftruncate(fd, -1));
  DO(truncate("file", -1));
  DO(truncate("missing", 1));
  DO(truncate(".", 1));
  DO(truncate("file", 1L << 40));
  DO(lseek(fd, 0, SEEK_END));
  DO(truncate("file", 0));
  DO(read(reader, text, 1));
  int ends[2];
  DO(pipe(ends));
  DO(ftruncate(ends[1], 0));
}
