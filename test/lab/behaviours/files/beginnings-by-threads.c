// What a thread opens others change, and read on: all know at once.
#include "../../lab.h"

static char got[4096];
static atomic_int turn;
static int shared_fd = -1;

static void *change(void *unused) {
  for (int i = 0; i < 20; ++i) {
    while (atomic_load(&turn) != 2 * i + 1) continue;
    char text[32];
    snprintf(text, sizeof text, "number %02d", i);
    const int fd = open("script.py", O_WRONLY);
    if (pwrite(fd, text, 9, 0) != 9) abort();
    close(fd);
    atomic_store(&turn, 2 * i + 2);
  }
  return unused;
}

static void *read_on(void *unused) {
  char more[16] = "";
  const ssize_t n = read(shared_fd, more, 9);
  SAY("another reads on: %zd %s", n, more);
  return unused;
}

BEHAVIOUR {
  const int made = open("script.py", O_WRONLY | O_CREAT, 0644);
  for (int i = 0; i < 100; ++i)
    if (write(made, "from the beginning ", 19) != 19) abort();
  close(made);
  pthread_t other;
  pthread_create(&other, NULL, change, NULL);
  for (int i = 0; i < 20; ++i) {
    ssize_t n = 0;
    AT({
      const int fd = open("script.py", O_RDONLY);
      atomic_store(&turn, 2 * i + 1);
      while (atomic_load(&turn) != 2 * i + 2) continue;
      n = read(fd, got, 9);
      close(fd);
    });
    SAY("%zd %.9s", n, got);
  }
  pthread_join(other, NULL);
  AT({
    shared_fd = open("script.py", O_RDONLY);
    if (read(shared_fd, got, 9) != 9) abort();
    pthread_create(&other, NULL, read_on, NULL);
    pthread_join(other, NULL);
  });
  SAY("at %ld", (long)lseek(shared_fd, 0, SEEK_CUR));
}
