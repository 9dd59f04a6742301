// Vector registers, MXCSR and the x87 state of each thread go where it goes.
// libraries: m
#include "../../lab.h"
#include <fenv.h>
#include <immintrin.h>

static pthread_barrier_t barrier;
__attribute__((target("avx"))) static long check(long n, volatile int *stop) {
  const __m256i want = _mm256_set1_epi32((int)(0x11111111 * (n + 1)));
  long wrong = 0, turns = 0;
  while (!*stop || turns < 3) {
    unsigned out[8];
    unsigned short word;
    unsigned mxcsr;
    double x;
    // Long enough to be stopped inside of it.
    asm volatile("vmovdqu %4, %%ymm11; fldl %5; movl $2000000, %%ecx; 1: decl %%ecx; jnz 1b; vmovdqu %%ymm11, %0; fstpl %1; fnstcw %2; stmxcsr %3"
                 : "=m"(out), "=m"(x), "=m"(word), "=m"(mxcsr)
                 : "m"(want), "m"((double[]){1.25 * (double)n})
                 : "ecx", "xmm11", "st");
    for (int i = 0; i < 8; ++i) wrong += out[i] != (unsigned)(0x11111111 * (n + 1));
    wrong += x != 1.25 * (double)n;
    wrong += ((word >> 10) & 3) != (unsigned)(n & 3) || ((mxcsr >> 13) & 3) != (unsigned)(n & 3);
    ++turns;
  }
  return wrong;
}
static volatile int stop;
static void *run(void *which) {
  const long n = (long)which;
  const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  fesetround(modes[n & 3]);
  pthread_barrier_wait(&barrier);
  return (void *)check(n, &stop);
}

BEHAVIOUR {
  if (!__builtin_cpu_supports("avx")) return;
  pthread_barrier_init(&barrier, NULL, 4);
  pthread_t threads[4];
  for (long i = 1; i < 4; ++i) pthread_create(&threads[i], NULL, run, (void *)i);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 8; ++i) AT(sleep_ms(5));
  stop = 1;
  for (int i = 1; i < 4; ++i) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    SAY("wrong %ld", (long)wrong);
  }
}
