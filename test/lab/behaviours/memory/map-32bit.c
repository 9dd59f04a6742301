// MAP_32BIT finds an address below 2 GB.
#include "../../lab.h"

BEHAVIOUR {
  char *at[4];
  for (int i = 0; i < 4; ++i) {
    AT(at[i] = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
    HOLDS((unsigned long)at[i] < 0x80000000ul);
    at[i][0] = (char)('a' + i);
  }
  int fd = TRY(open("/proc/self/exe", O_RDONLY));
  char *file = TRY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_32BIT, fd, 0));
  HOLDS((unsigned long)file < 0x80000000ul && !memcmp(file + 1, "ELF", 3));
  AT(SAY("%c%c%c%c", at[0][0], at[1][0], at[2][0], at[3][0]));
}
