// getcpu and sched_getcpu name a processor that the program may use.
#include "../../lab.h"
#include <sched.h>

BEHAVIOUR {
  cpu_set_t may;
  for (int i = 0; i < 4; ++i) {
    DO(sched_getaffinity(0, sizeof may, &may));
    unsigned cpu = 9999, node = 9999;
    DO(getcpu(&cpu, &node));
    HOLDS(CPU_ISSET(cpu, &may) && node < 9999);
    AT(const int own = sched_getcpu(); HOLDS(own >= 0 && CPU_ISSET(own, &may)));
  }
  unsigned char small[2];
  DO(sched_getaffinity(0, 2, (void *)small));
  CPU_ZERO(&may);
  DO(sched_setaffinity(0, sizeof may, &may));
}
