// A sleep whose rest goes where its time stands, as loops around nanosleep have it, lasts as long as it was told to.
#include "../../lab.h"

BEHAVIOUR {
  for (int i = 0; i < 3; ++i) {
    struct timespec time = {0, 150000000};
    LASTS(0.15, DO(nanosleep(&time, &time)));
    time = (struct timespec){0, 100000000};
    LASTS(0.1, GIVES(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time)));
  }
}
