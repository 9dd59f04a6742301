// Memory of all sizes, taken and given back in any order by several threads, keeps what is in it.
#include "../../lab.h"

static void *work(void *argument) {
  unsigned state = 12345u * (unsigned)(uintptr_t)argument + 1, bad = 0;
  struct { unsigned char *at; size_t size; } held[64] = {0};
  for (int i = 0; i < 4000; ++i) {
    state = state * 1664525 + 1013904223;
    const unsigned k = state >> 26;
    if (held[k].at) {
      bad += held[k].at[0] != k || held[k].at[held[k].size - 1] != k;
      free(held[k].at);
    }
    held[k].size = 1 + (size_t)(state >> 8) % (state & 0x40 ? 300000 : 2000);
    held[k].at = malloc(held[k].size);
    held[k].at[0] = held[k].at[held[k].size - 1] = (unsigned char)k;
  }
  for (int k = 0; k < 64; ++k) free(held[k].at);
  return (void *)(uintptr_t)bad;
}

BEHAVIOUR {
  for (int round = 0; round < 4; ++round) {
    pthread_t threads[3];
    for (uintptr_t i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    uintptr_t bad;
    AT(bad = (uintptr_t)work((void *)9));
    for (int i = 0; i < 3; ++i) {
      void *result;
      AT(pthread_join(threads[i], &result));
      bad += (uintptr_t)result;
    }
    SAY("%d bad", (int)bad);
  }
}
