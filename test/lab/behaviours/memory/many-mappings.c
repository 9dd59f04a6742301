// A program with twenty thousand mappings is moved with all of them.
#include "../../lab.h"

BEHAVIOUR {
  const int n = 20000;
  char *at = mmap(NULL, (size_t)n * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (int i = 0; i < n; i += 2) mprotect(at + (size_t)i * 4096, 4096, PROT_READ | PROT_WRITE);
  for (int i = 0; i < n; i += 2000) at[(size_t)i * 4096] = (char)(i / 2000);
  int sum = 0;
  AT(for (int i = 0; i < n; i += 2000) sum += at[(size_t)i * 4096]);
  SAY("%d", sum);
  AT(for (int i = 0; i < n; i += 4000) munmap(at + (size_t)i * 4096, 4096));
  AT(sum = 0; for (int i = 2000; i < n; i += 4000) sum += at[(size_t)i * 4096]);
  SAY("%d", sum);
}
