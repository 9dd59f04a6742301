// An anonymous mapping that is shared stays shared with the children.
// refused: shares memory with another process
// home: fork
#include "../../lab.h"

BEHAVIOUR {
  volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  HOLDS(shared != MAP_FAILED);
  shared[0] = 1;
  const pid_t child = FORK();
  if (child == 0) {
    while (shared[0] != 2) sleep_ms(1);
    shared[1] = 7;
    _exit(0);
  }
  AT(shared[0] = 2);
  SAY("child %d", ended(child));
  HOLDS(shared[1] == 7);
}
