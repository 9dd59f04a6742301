// What is written to a private mapping of a file stays with the process; the rest is the file's.
#include "../../lab.h"

BEHAVIOUR {
  char text[8] = "";
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  for (int i = 0; i < 40; ++i) {
    char page[4096];
    memset(page, 'a' + i % 26, sizeof page);
    if (write(fd, page, sizeof page) != sizeof page) abort();
  }
  char *map = TRY(mmap(NULL, 40 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
  AT(map[5 * 4096] = 'X');
  AT(map[39 * 4096 + 4095] = 'Y');
  SAY("%c%c%c%c", map[4 * 4096], map[5 * 4096], map[5 * 4096 + 1], map[39 * 4096 + 4094]);
  DO(pread(fd, text, 1, 5 * 4096));
  SAY("%s", text);
  char *second = TRY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 5 * 4096));
  SAY("%c", second[0]);
  DO(madvise(map + 5 * 4096, 4096, MADV_DONTNEED));
  AT(SAY("%c %c", map[5 * 4096], map[39 * 4096 + 4095]));
  AT(map[5 * 4096] = 'Z');
  DO(close(fd));
  AT(SAY("%c%c%c", map[5 * 4096], map[5 * 4096 + 1], map[39 * 4096 + 4095]));
  DO(munmap(map + 4096, 38 * 4096));
  AT(SAY("%c%c", map[0], map[39 * 4096 + 4095]));
}
