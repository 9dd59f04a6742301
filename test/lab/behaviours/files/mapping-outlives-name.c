// A file's mapping shows the file it was made of, whatever becomes of its name.
#include "../../lab.h"

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  char *data = calloc(1, 300000);
  for (int i = 0; i < 300000; ++i) data[i] = (char)('a' + i / 4096 % 26);
  DO(write(fd, data, 300000));
  DO(close(fd));
  const int reader = DO(open("file", O_RDONLY));
  const char *map = mmap(NULL, 300000, PROT_READ, MAP_PRIVATE, reader, 0);
  DO(close(reader));
  const int other = DO(open("new", O_RDWR | O_CREAT, 0600));
  DO(write(other, "other", 5));
  DO(rename("new", "file"));
  DO(map[0] == 'a' && map[5 * 4096] == 'f');
  DO(unlink("file"));
  DO(memcmp(map, data, 300000));
  DO(map[70 * 4096] == 'a' + 70 % 26);
  DO(munmap((void *)map, 300000));
}
