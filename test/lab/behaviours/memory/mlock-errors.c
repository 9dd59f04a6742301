// mlock tells memory that is not there, ranges and flags that are not valid, and limits.
// home: munlock, munlockall
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  char *at = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DO(munmap(at + 4 * 4096, 4096));
  DO(mlock(at + 10, 4096));
  DO(mlock(at + 3 * 4096, 2 * 4096));
  DO(mlock(at, (size_t)-1));
  DO(mlock(at, 0));
  DO(munlock(at + 3 * 4096, 3 * 4096));
  DO(munlock(at, 3 * 4096));
  DO(mlock2(at, 4096, MLOCK_ONFAULT));
  DO(mlock2(at, 4096, 8));
  DO(mlockall(0));
  DO(mlockall(64));
  DO(mlockall(MCL_ONFAULT));
  DO(munlockall());
  DO(mprotect(at + 5 * 4096, 4096, PROT_NONE));
  DO(mlock(at + 5 * 4096, 4096));
}
