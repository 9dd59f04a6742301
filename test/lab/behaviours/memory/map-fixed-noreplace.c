// MAP_FIXED_NOREPLACE leaves what is there alone, MAP_FIXED takes its place, and both take the address that is asked for.
#include "../../lab.h"

BEHAVIOUR {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  char *all = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
  AT(memset(all, 'a', 8 * 4096));
  HOLDS(munmap(all + 4 * 4096, 4096) == 0);
  TRY(mmap(all + 3 * 4096, 4096, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0));
  TRY(mmap(all + 3 * 4096, 2 * 4096, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0));
  SAY("%c %c", all[3 * 4096], all[5 * 4096]);
  char *hole = TRY(mmap(all + 4 * 4096, 4096, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, -1, 0));
  HOLDS(hole == all + 4 * 4096);
  SAY("%d", hole[0]);
  char *over = TRY(mmap(all + 5 * 4096, 2 * 4096, PROT_READ, flags | MAP_FIXED, -1, 0));
  HOLDS(over == all + 5 * 4096);
  SAY("%d %d %c", over[0], over[4096], over[2 * 4096]);
  TRY(mmap(all + 1, 4096, PROT_READ, flags | MAP_FIXED, -1, 0));
  TRY(mmap(all + 1, 4096, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0));
}
