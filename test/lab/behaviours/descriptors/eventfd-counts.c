// An eventfd counts, gives all or one at a time, blocks when empty or full, and refuses what is not eight bytes.
#include "../../lab.h"
#include <sys/eventfd.h>

static int fd;
static void add(void) { if (eventfd_write(fd, 5)) abort(); }
static void take(void) { eventfd_t v; if (eventfd_read(fd, &v)) abort(); }

BEHAVIOUR {
  eventfd_t value = 99;
  fd = DO(eventfd(3, 0));
  DO(eventfd_write(fd, 4));
  DO(eventfd_read(fd, &value));
  SAY("%llu", (unsigned long long)value);
  pthread_t other = later(60, add);
  DO(eventfd_read(fd, &value));
  SAY("%llu", (unsigned long long)value);
  pthread_join(other, NULL);
  DO(write(fd, &value, 4));
  DO(read(fd, &value, 7));
  value = -1;
  DO(write(fd, &value, 8));
  value = -2;
  DO(write(fd, &value, 8));
  other = later(60, take);
  DO(eventfd_write(fd, 1));
  pthread_join(other, NULL);
  DO(fcntl(fd, F_SETFL, O_NONBLOCK));
  DO(eventfd_read(fd, &value));
  DO(eventfd_read(fd, &value));
  SAY("%llu", (unsigned long long)value);
  fd = DO(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
  for (int i = 0; i < 3; ++i) DO(eventfd_read(fd, &value));
  DO(eventfd(0, 8));
}
