// RLIMIT_DATA holds for the break and for private writable memory, not for other memory.
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  struct rlimit limit = {64 << 20, RLIM_INFINITY};
  DO(setrlimit(RLIMIT_DATA, &limit));
  TRY(sbrk(256 << 20));
  TRY(mmap(NULL, 256 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  char *at = TRY(mmap(NULL, 256 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  DO(mprotect(at, 256 << 20, PROT_READ | PROT_WRITE));
  limit.rlim_cur = RLIM_INFINITY;
  DO(setrlimit(RLIMIT_DATA, &limit));
  DO(mprotect(at, 256 << 20, PROT_READ | PROT_WRITE));
}
