// What is written to a file while another descriptor reads it is read from then on, whoever writes it and however: by a descriptor, by its name, by a
// mapping, by a child.
// home: fork, mmap
// refused: it maps a file shared and writable
#include "../../lab.h"

static char got[600000];

static void look(int fd) {
  const ssize_t length = pread(fd, got, sizeof got, 0);
  unsigned sum = 0;
  for (ssize_t i = 0; i < length; ++i) sum = sum * 31 + (unsigned char)got[i];
  SAY("%zd bytes, %08x", length, sum);
}

static void look_in_order(int fd) {
  ssize_t all = 0, n;
  unsigned sum = 0;
  AT(lseek(fd, 0, SEEK_SET));
  while ((n = read(fd, got, 30000)) > 0) {
    for (ssize_t i = 0; i < n; ++i) sum = sum * 31 + (unsigned char)got[i];
    all += n;
  }
  SAY("%zd bytes in order, %08x", all, sum);
}

BEHAVIOUR {
  static char data[200000];
  for (size_t i = 0; i < sizeof data; ++i) data[i] = (char)(i >> 3);
  int made = open("file", O_WRONLY | O_CREAT, 0600);
  HOLDS(write(made, data, sizeof data) == sizeof data);
  close(made);
  int fd = DO(open("file", O_RDONLY));
  look_in_order(fd), look(fd);
  made = DO(open("file", O_WRONLY));
  DO(pwrite(made, "changed", 7, 1000));
  look_in_order(fd), look(fd);
  DO(write(made, "more", 4));
  DO(close(made));
  look_in_order(fd);
  DO(close(fd));

  fd = DO(open("file", O_RDONLY));
  look_in_order(fd);
  DO(truncate("file", 150000));
  look(fd);
  made = DO(open("file", O_WRONLY | O_APPEND | O_NONBLOCK));
  DO(write(made, data, 40000));
  DO(close(made));
  look_in_order(fd);
  DO(close(fd));

  fd = DO(open("file", O_RDONLY));
  look_in_order(fd);
  const pid_t child = FORK();
  if (!child) {
    const int own = open("file", O_RDWR);
    _exit(pwrite(own, "a child", 7, 70000) == 7 && pread(fd, got, 9, 69999) == 9 && got[1] == 'a' ? 0 : 1);
  }
  SAY("child %d", ended(child));
  look(fd);
  DO(close(fd));

  fd = DO(open("file", O_RDONLY));
  look_in_order(fd);
  made = DO(open("file", O_RDWR));
  char *shown = mmap(NULL, 100000, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
  close(made);
  memcpy(shown + 90000, "by the mapping", 14);
  look_in_order(fd);
  memcpy(shown + 3, "once more", 9);
  look(fd);
  DO(munmap(shown, 100000));
  look_in_order(fd);
  DO(unlink("file"));
  look(fd);
  made = DO(open("file", O_RDWR | O_CREAT | O_EXCL, 0600));
  DO(write(made, data, 100000));
  look(fd), look(made);
}
