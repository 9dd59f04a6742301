// What is marked close-on-exec is closed by execve, the rest goes on in the new program; a failed execve closes nothing.
// home: execve, vfork, clone
#include "../../lab.h"

BEHAVIOUR {
  if (lab_argc > 1) {
    AT(SAY("after: %d %d %d", fcntl(20, F_GETFD), fcntl(21, F_GETFD), fcntl(22, F_GETFD)));
    DO(lseek(22, 0, SEEK_CUR));
    return;
  }
  int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600), flag = 0;
  DO(write(fd, "12345", 5));
  DO(dup3(fd, 20, O_CLOEXEC));
  DO(dup2(fd, 21));
  DO(dup3(fd, 22, O_CLOEXEC));
  DO(fcntl(21, F_SETFD, FD_CLOEXEC));
  DO(fcntl(22, F_SETFD, flag));
  DO(execl("./none", "none", NULL));
  AT(SAY("before: %d %d %d", fcntl(20, F_GETFD), fcntl(21, F_GETFD), fcntl(22, F_GETFD)));
  char path[512] = "";
  if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) abort();
  AT(execl(path, path, "again", NULL));
}
