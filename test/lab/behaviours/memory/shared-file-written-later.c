// A shared mapping that is only read shows what others write to the file later, by write(2), through a mapping and by truncating it.
// refused: it maps a file shared that is open for writing
#include "../../lab.h"

static int go[2], done[2];

static void write_often(void) {
  close(go[1]);
  for (char word, turn = '1'; read(go[0], &word, 1) == 1; ++turn) {
    const int fd = open("file", O_RDWR);
    char text[16] = "number ";
    text[7] = turn;
    if (turn % 2) {
      if (pwrite(fd, text, 8, 5000) != 8) abort();
    } else {
      char *map = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      memcpy(map + 5000, text, 8);
      munmap(map, 12288);
    }
    close(fd);
    if (turn == '4' && truncate("file", 8192)) abort();
    if (write(done[1], "", 1) != 1) abort();
  }
  _exit(0);
}

BEHAVIOUR {
  char word;
  const int made = open("file", O_RDWR | O_CREAT, 0600);
  if (ftruncate(made, 12288) || pwrite(made, "number 0", 8, 5000) != 8) abort();
  close(made);
  if (pipe(go) || pipe(done)) abort();
  const pid_t child = fork();
  if (!child) write_often();
  close(go[0]);
  const int fd = DO(open("file", O_RDONLY));
  const char *map = mmap(NULL, 12288, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  const char *again = NULL;
  for (int i = 0; i < 5; ++i) {
    AT(SAY("%.8s", map + 5000));
    DO(write(go[1], "", 1));
    DO(read(done[0], &word, 1));
    SAY("%.8s", map + 5000);
    if (i != 1) continue;
    const int other = open("file", O_RDONLY);
    again = mmap(NULL, 12288, PROT_READ, MAP_SHARED, other, 0);
    close(other);
  }
  AT(SAY("%.8s", again + 5000));
  close(go[1]);
  SAY("%d", ended(child));
}
