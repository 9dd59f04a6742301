// RLIMIT_AS holds: what would go beyond it is refused with ENOMEM, and can be had when the limit is lifted.
// refused: has no room for the stub under its limit on address space
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  struct rlimit limit = {(rlim_t)1 << 30, RLIM_INFINITY};
  DO(setrlimit(RLIMIT_AS, &limit));
  TRY(mmap(NULL, (size_t)2 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  HOLDS(malloc((size_t)2 << 30) == NULL && errno == ENOMEM);
  char *at = TRY(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  TRY(mremap(at, 1 << 20, (size_t)2 << 30, MREMAP_MAYMOVE));
  TRY(sbrk((intptr_t)2 << 30));
  limit.rlim_cur = RLIM_INFINITY;
  DO(setrlimit(RLIMIT_AS, &limit));
  TRY(mmap(NULL, (size_t)2 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
}
