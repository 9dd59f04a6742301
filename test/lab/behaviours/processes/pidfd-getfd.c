// pidfd_getfd takes a descriptor out of another process: the same open file, with close-on-exec.
#include "../../lab.h"

BEHAVIOUR {
  int ends[2];
  DO(pipe(ends));
  const pid_t child = FORK();
  if (child == 0) {
    const int fd = open("file", O_RDWR | O_CREAT, 0600);
    dup2(fd, 88);
    if (write(88, "abcdef", 6) != 6 || lseek(88, 2, SEEK_SET) != 2 || write(ends[1], "x", 1) != 1) abort();
    for (;;) pause();
  }
  char none;
  DO(read(ends[0], &none, 1));
  const int process = (int)TRY(syscall(SYS_pidfd_open, child, 0));
  const int fd = (int)TRY(syscall(SYS_pidfd_getfd, process, 88, 0));
  char text[4] = "";
  DO(read(fd, text, 3));
  SAY("%s", text);
  DO(fcntl(fd, F_GETFD));
  DO(syscall(SYS_pidfd_getfd, process, 89, 0));
  DO(syscall(SYS_pidfd_getfd, process, 88, 1));
  DO(syscall(SYS_pidfd_getfd, fd, 88, 0));
  DO(kill(child, SIGKILL));
  SAY("child %d", ended(child));
  DO(syscall(SYS_pidfd_getfd, process, 88, 0));
}
