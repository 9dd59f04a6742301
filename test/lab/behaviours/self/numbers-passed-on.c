// A duplicate of a descriptor of /proc/self/statm goes on telling what is true, and a program that is started with one of /proc/self/status sees itself.
// home: open, openat, pread64
#include "../../lab.h"
#include <sys/resource.h>
#include <sys/sendfile.h>

static long first_number(int fd) {
  char text[200] = "";
  lseek(fd, 0, SEEK_SET);
  const ssize_t n = read(fd, text, sizeof text - 1);
  return n > 0 ? strtol(text, NULL, 10) : -1;
}

BEHAVIOUR {
  int fd = -1, other = -1;
  AT(fd = open("/proc/self/statm", O_RDONLY));
  AT(other = dup2(fd, 50));
  AT(close(fd));
  long before = 0, after = 0;
  AT(before = first_number(other));
  AT(mmap(NULL, 3 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  AT(after = first_number(other));
  SAY("%ld pages more", after - before);
  // Two that are open at once have each their position.
  int first = -1, second = -1;
  char part[2][8] = {"", ""};
  AT(first = open("/proc/self/stat", O_RDONLY));
  DO((int)read(first, part[0], 3));
  AT(second = open("/proc/self/stat", O_RDONLY));
  DO((int)lseek(first, 0, SEEK_CUR));
  DO((int)read(second, part[1], 3));
  SAY("%d", !memcmp(part[0], part[1], 3) && atoi(part[0]) == atoi(part[1]));
  int third = -1;
  AT(third = dup(first));
  DO((int)lseek(third, 0, SEEK_CUR));
  DO((int)read(first, part[0], 2));
  DO((int)lseek(third, 0, SEEK_CUR));
  DO(close(third));
  DO(close(first));
  DO(close(second));
  // A program that cannot be started, and no way to read.
  DO(execl("/nowhere", "nowhere", NULL));
  AT(before = first_number(other));
  AT(mmap(NULL, 5 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  AT(after = first_number(other));
  SAY("%ld pages more", after - before);
  off_t from = 0;
  const int copy = open("copy", O_RDWR | O_CREAT, 0600);
  DO((int)sendfile(copy, other, &from, 100));
  DO((int)copy_file_range(other, &from, copy, NULL, 100, 0));
  close(copy);
  // No file of the program's grows by it.
  const struct rlimit none = {0, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
  DO(setrlimit(RLIMIT_FSIZE, &none));
  AT(fd = open("/proc/self/status", O_RDONLY));
  DO((int)pread(fd, part[0], 5, 0));
  SAY("%.5s", part[0]);
  DO(setrlimit(RLIMIT_FSIZE, &all));
  DO(close(fd));
  const pid_t child = FORK();
  if (!child) {
    int status = -1;
    AT(status = open("/proc/self/status", O_RDONLY));
    DO((int)pread(status, part[0], 3, 0));
    AT(dup2(status, 0));
    AT(execlp("sed", "sed", "-n", "s/^Name://p", NULL));
    _exit(9);
  }
  SAY("sed: %d", ended(child));
}
