// A mapping made to grow down grows when the page below it is touched, and not where something lies in its way.
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static void handler(int signal) { siglongjmp(back, signal); }
static void put(char *at) {
  const int signal = sigsetjmp(back, 1);
  if (signal) SAY("signal %d", signal);
  else *at = 'g', SAY("grown: %c", *at);
}

BEHAVIOUR {
  signal(SIGSEGV, handler);
  char *room = mmap(NULL, 4 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  munmap(room, 4 << 20);
  char *top = room + (4 << 20) - 4096;
  HOLDS(mmap(top, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0) == top);
  AT(put(top));
  AT(put(top - 4096));
  AT(put(top - 2 * 4096));
  HOLDS(mmap(room, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == room);
  AT(SAY("%c %c %c", top[0], top[-4096], top[-2 * 4096]));
  AT(put(top - 3 * 4096));
}
