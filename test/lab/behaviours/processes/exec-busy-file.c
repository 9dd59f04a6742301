// A file open for writing cannot be executed, and one that is executed cannot be opened for writing.
#include "../../lab.h"
#include <sys/sendfile.h>

BEHAVIOUR {
  if (lab_argc > 1) {
    for (;;) pause();
  }
  const int self = open("/proc/self/exe", O_RDONLY), copy = open("copy", O_WRONLY | O_CREAT, 0755);
  struct stat about;
  fstat(self, &about);
  for (off_t done = 0; done < about.st_size;)
    if (sendfile(copy, self, &done, (size_t)(about.st_size - done)) <= 0) abort();
  DO(execl("./copy", "copy", "x", NULL));
  DO(close(copy));
  int ends[2];
  DO(pipe2(ends, O_CLOEXEC));
  const pid_t child = FORK();
  if (child == 0) {
    execl("./copy", "copy", "x", NULL);
    _exit(1);
  }
  close(ends[1]);
  char none;
  DO(read(ends[0], &none, 1));                        // closed by the exec
  DO(open("copy", O_WRONLY));
  DO(open("copy", O_RDONLY) >= 0);
  DO(kill(child, SIGKILL));
  SAY("child %d", ended(child));
  DO(open("copy", O_WRONLY) >= 0);
}
