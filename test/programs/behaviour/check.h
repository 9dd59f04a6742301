// A behaviour program repeats its checks for a given number of seconds and says "ok" if all held: the same words at home and away.
#pragma once
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int failures;

#define CHECK(condition)                                                                                \
  do {                                                                                                  \
    if (!(condition) && failures++ < 20)                                                                \
      printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno)), fflush(stdout); \
  } while (0)

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Work for the processor, so that there is something to interrupt.
__attribute__((unused)) static unsigned long spin(unsigned long rounds) {
  volatile unsigned long value = 1;
  for (unsigned long i = 0; i < rounds; ++i) value = value * 6364136223846793005UL + 1;
  return value;
}

static int finish(void) {
  puts(failures == 0 ? "ok" : "NOT ok");
  return failures != 0;
}

