// The rounding mode and the exceptions raised so far are kept through moves, and a new thread has its creator's mode.
// libraries: m
#include "../../lab.h"
#include <fenv.h>

static void *mode(void *none) { return (void)none, (void *)(long)fegetround(); }

BEHAVIOUR {
  const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
  volatile double one = 1, three = 3, zero = 0, sum;
  volatile long double many = 10;
  for (int i = 0; i < 4; ++i) {
    fesetround(modes[i]);
    feclearexcept(FE_ALL_EXCEPT);
    AT(sum = one / three);
    SAY("%a %La", sum, many / 3);
    SAY("mode %d, inexact %d, by zero %d", fegetround() == modes[i], fetestexcept(FE_INEXACT) != 0, fetestexcept(FE_DIVBYZERO) != 0);
    sum = one / zero;
    AT(sched_yield());
    SAY("by zero %d", fetestexcept(FE_DIVBYZERO) != 0);
    pthread_t thread;
    void *value;
    pthread_create(&thread, NULL, mode, NULL);
    pthread_join(thread, &value);
    SAY("the thread's %d", (long)value == modes[i]);
  }
}
