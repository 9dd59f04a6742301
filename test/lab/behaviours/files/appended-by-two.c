// What two processes append at the same time is all there, each piece whole.
// home: fork
#include "../../lab.h"

static int append(char letter, int fd) {
  char line[64];
  memset(line, letter, 63);
  line[63] = '\n';
  for (int i = 0; i < 100; ++i) {
    if (i == 50) lab_point("append");
    if (write(fd, line, 64) != 64) return 1;
  }
  return 0;
}

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT | O_APPEND, 0600));
  const pid_t child = FORK();
  if (!child) _exit(append('c', open("file", O_WRONLY | O_APPEND)));
  SAY("%d", append('p', fd));
  SAY("child %d", ended(child));
  DO(lseek(fd, 0, SEEK_END));
  char text[12801] = "";
  DO(pread(fd, text, sizeof text, 0));
  int wrong = 0, of_child = 0;
  for (int i = 0; i < 200; ++i) {
    for (int k = 1; k < 63; ++k) wrong += text[i * 64 + k] != text[i * 64];
    of_child += text[i * 64] == 'c';
  }
  SAY("%d wrong, %d of the child", wrong, of_child);
  DO(ftruncate(fd, 0));
}
