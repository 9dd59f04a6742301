// longjmp goes back to frames that were entered elsewhere, and alloca takes from the stack of the moment.
#include "../../lab.h"
#include <alloca.h>
#include <setjmp.h>

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static jmp_buf back;
__attribute__((noinline)) static void down(int n) {
  char *room = alloca((size_t)n * 1000);
  memset(room, n, (size_t)n * 1000);
  lab_point("down");
  if (n == 8) longjmp(back, room[7999]);
  down(n + 1);
  if (room[0] != n) abort();
}
static int fresh(int n) {
  char *room = alloca(3000);
  room[0] = (char)n;
  if (n == 0) return 0;
  const int below = fresh(n - 1);
  return below + (room[0] == (char)n);
}

BEHAVIOUR {
  volatile int rounds = 0;
  const int value = setjmp(back);
  if (value) SAY("came back with %d", value);
  if (++rounds < 3) down(6 - rounds);
  AT(SAY("%d", fresh(1500)));
}
