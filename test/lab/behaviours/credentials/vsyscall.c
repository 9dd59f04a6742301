// The functions of the vsyscall page give the time and the processor, where the kernel has that page.
#include "../../lab.h"
#include <sys/time.h>

BEHAVIOUR {
  char line[300];
  bool there = false;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) there |= strstr(line, "[vsyscall]") != NULL;
  fclose(maps);
  if (!there) return DO(getppid() >= 0), SAY("no such page");
  struct timeval time = {0}, now;
  int (*const tell)(struct timeval *, void *) = (int (*)(struct timeval *, void *))0xffffffffff600000;
  DO(tell(&time, NULL));
  gettimeofday(&now, NULL);
  HOLDS(now.tv_sec - time.tv_sec >= 0 && now.tv_sec - time.tv_sec < 30);
  long (*const seconds)(long *) = (long (*)(long *))0xffffffffff600400;
  long stored = 0;
  lab_point("time");
  const long second = seconds(&stored);
  HOLDS(second == stored && second >= time.tv_sec);
}
