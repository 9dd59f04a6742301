// Calls by int 0x80 and through the vsyscall page do what they always did.
// home: int80, vsyscall, getpid, personality
// refused: 32
#include "../../lab.h"

static long by_interrupt(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}

BEHAVIOUR {
  HOLDS(({ lab_point("getpid"); by_interrupt(20, 0, 0, 0); }) == getpid());
  DO(by_interrupt(6, 555, 0, 0));
  DO(by_interrupt(9999, 0, 0, 0));
}
