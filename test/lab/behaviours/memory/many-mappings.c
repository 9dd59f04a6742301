// A program with six thousand mappings is moved with all of them.
#include "../../lab.h"

BEHAVIOUR {
  const int n = 6000;
  char *at = mmap(NULL, (size_t)n * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (int i = 0; i < n; i += 2) mprotect(at + (size_t)i * 4096, 4096, PROT_READ | PROT_WRITE);
  for (int i = 0; i < n; i += 200) at[(size_t)i * 4096] = (char)(i / 200);
  int sum = 0;
  AT(for (int i = 0; i < n; i += 200) sum += at[(size_t)i * 4096]);
  SAY("%d", sum);
  AT(for (int i = 0; i < n; i += 400) munmap(at + (size_t)i * 4096, 4096));
  AT(sum = 0; for (int i = 200; i < n; i += 400) sum += at[(size_t)i * 4096]);
  SAY("%d", sum);
}
