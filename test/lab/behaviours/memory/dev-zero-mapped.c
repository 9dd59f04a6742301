// A mapping of /dev/zero is memory of zeros: private, it is the process's own; shared, it is shared with children.
// refused: shares memory with another process
// home: mmap, fork, clone
#include "../../lab.h"

BEHAVIOUR {
  const int fd = open("/dev/zero", O_RDWR);
  char *own = TRY(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
  AT(own[4096] = 'o');
  AT(SAY("%d %c", own[0], own[4096]));
  char *shared = TRY(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  AT(shared[0] = 's');
  DO(close(fd));
  AT(SAY("%c %d", shared[0], shared[4096]));
  const pid_t child = FORK();
  if (child == 0) {
    own[0] = 'c';
    shared[4096] = 'c';
    _exit(0);
  }
  SAY("%d", ended(child));
  AT(SAY("%d %c", own[0], shared[4096]));
}
