// Code on the stack runs once the stack was made executable.
#include "../../lab.h"

__attribute__((noinline)) static int run(int value) {
  volatile unsigned char code[] = {0xb8, (unsigned char)value, 0, 0, 0, 0xc3};   // mov $value, %eax; ret
  volatile unsigned char *volatile at = code;
  lab_point("run");
  return ((int (*)(void))at)();
}

BEHAVIOUR {
  char here;
  char *page = (char *)((uintptr_t)&here & ~4095ul);
  DO(mprotect(page - 3 * 4096, 4 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
  SAY("%d", run(5));
  SAY("%d", run(6));
  DO(mprotect(page - 3 * 4096, 4 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN));
  SAY("%d", run(7));
}
