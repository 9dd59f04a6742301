// Large memory of which little is used costs little, and what is used is kept.
#include "../../lab.h"

BEHAVIOUR {
  const size_t size = (size_t)64 << 30;
  unsigned char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  HOLDS(at != MAP_FAILED);
  madvise(at, size, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < 64; ++i) at[(i << 30) + i * 4096] = (unsigned char)i;
  unsigned sum = 0;
  AT(for (size_t i = 0; i < 64; ++i) sum += at[(i << 30) + i * 4096] + at[(i << 30) + i * 4096 + 4096]);
  SAY("%u", sum);
  DO(munmap(at + ((size_t)10 << 30), (size_t)20 << 30));
  AT(at[(size_t)40 << 30] = 200);
  AT(at = mremap(at + ((size_t)30 << 30), (size_t)34 << 30, (size_t)80 << 30, MREMAP_MAYMOVE));
  HOLDS(at != MAP_FAILED);
  SAY("%d %d %d", at[(size_t)10 << 30], at[5 * 4096 + ((size_t)5 << 30) + 30 * 4096], at[(size_t)79 << 30]);
}
