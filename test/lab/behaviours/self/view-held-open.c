// A view of itself that a program holds open stays true while it runs.
#include "../../lab.h"

BEHAVIOUR {
  static char room[100000];
  const int fd = TRY(open("/proc/self/maps", O_RDONLY));
  char address[40];
  char *made = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  snprintf(address, sizeof address, "%lx", (unsigned long)made);
  for (int turn = 0; turn < 3; ++turn) {
    DO(lseek(fd, 0, SEEK_SET));
    ssize_t total = 0, n;
    while ((n = read(fd, room + total, sizeof room - 1 - (size_t)total)) > 0) total += n;
    room[total] = 0;
    SAY("%d", strstr(room, "[stack]") != NULL);
    if (turn == 0) mprotect(made, 4096, PROT_READ | PROT_WRITE);
  }
  DO(close(fd));
  DO(getpid() > 0);
  DO(getppid() > 0);
}
