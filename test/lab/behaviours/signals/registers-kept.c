// A handler that uses every register leaves the interrupted code's alone: general, vector and x87, flags, and the red zone below its stack pointer.
#include "../../lab.h"
#include <immintrin.h>
#include <sys/time.h>

static volatile sig_atomic_t count;
static void handler(int signal) {
  (void)signal;
  ++count;
  volatile float f = 3.5f;
  f = f * f;
  char line[64];
  snprintf(line, sizeof line, "%f %d", f, count);
  asm volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15; fld1; fldpi; fstp %%st(0); fstp %%st(0)" ::: "xmm0", "xmm7", "xmm15");
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {{0, 10000}, {0, 10000}};
  for (int turn = 0; turn < 4; ++turn) {
    unsigned long wrong = 0;
    count = 0;
    AT(setitimer(ITIMER_REAL, &often, NULL));
    while (count < 8) {
      unsigned long r, red = 0;
      unsigned words[4] = {1, 2, 3, 4}, others[4] = {5, 6, 7, 8};
      double x87 = 0;
      asm volatile(
          "movdqu %[words], %%xmm7; movdqu %[others], %%xmm15; movq $0x1234, %%r12; movq $0x7777, -120(%%rsp); fldpi; std; stc; movl $3000000, %%ecx\n"
          "1: decl %%ecx; jnz 1b\n"
          "cld; fstpl %[x87]; movq -120(%%rsp), %[red]; movq %%r12, %[r]; movdqu %%xmm7, %[words]; movdqu %%xmm15, %[others]"
          : [r] "=&r"(r), [red] "=&r"(red), [words] "+m"(words), [others] "+m"(others), [x87] "=m"(x87)
          :
          : "rcx", "r12", "xmm7", "xmm15", "memory", "cc");
      wrong += r != 0x1234 || red != 0x7777 || words[0] != 1 || words[3] != 4 || others[2] != 7 || x87 < 3.14159 || x87 > 3.1416;
    }
    SAY("wrong %lu", wrong);
    struct itimerval none = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &none, NULL);
  }
}
