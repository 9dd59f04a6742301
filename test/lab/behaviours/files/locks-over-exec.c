// Record locks and descriptors without FD_CLOEXEC stay over an execve; the others go.
// home: fork, execve
#include "../../lab.h"

static int set(int fd, int command) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  const int result = fcntl(fd, command, &lock);
  return command == F_GETLK ? lock.l_type : result;
}

BEHAVIOUR {
  if (lab_argc > 1) {                                   // the second program
    char byte = 'r';
    int failed = fcntl(5, F_GETFD) != -1 || errno != EBADF;
    if (write(4, &byte, 1) != 1) ++failed;
    if (read(6, &byte, 1) != 1) ++failed;
    _exit(failed);
  }
  int ends[2], go[2];
  char byte;
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  if (pipe(ends) || pipe(go) || fd != 3) abort();
  dup2(fd, 50);
  const pid_t child = FORK();
  if (!child) {
    if (set(50, F_SETLK)) _exit(99);
    dup2(go[0], 60), dup2(ends[1], 4), dup2(60, 6), dup3(0, 5, O_CLOEXEC);
    lab_point("execve");
    execl("/proc/self/exe", lab_argv[0], "again", NULL);
    _exit(98);
  }
  DO(close(ends[1]));
  DO(read(ends[0], &byte, 1));
  DO(set(fd, F_GETLK) == F_WRLCK);
  DO(set(fd, F_SETLK));
  DO(write(go[1], "x", 1));
  SAY("child %d", ended(child));
  DO(set(fd, F_SETLK));
}
