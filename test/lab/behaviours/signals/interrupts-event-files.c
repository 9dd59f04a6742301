// Reads of an eventfd, a timerfd, a signalfd and inotify, and a write to a full eventfd, follow SA_RESTART.
#include "../../interrupts.h"
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int fd;
static uint64_t one = 1, number;
static char data[4096];
static void put(void) { if (write(fd, &one, 8) != 8) abort(); }
static void take(void) { if (read(fd, &number, 8) != 8) abort(); }
static void arm(void) {
  struct itimerspec soon = {.it_value = {0, 1000000}};
  timerfd_settime(fd, 0, &soon, NULL);
}
static void usr2(void) { kill(getpid(), SIGUSR2); }
static void make(void) { close(open("new", O_CREAT | O_WRONLY, 0600)); }

BEHAVIOUR {
  fd = eventfd(0, 0);
  INTERRUPTED(read(fd, &number, 8));
  RESTARTED(put, read(fd, &number, 8));
  number = 0xfffffffffffffffe;
  DO(write(fd, &number, 8));
  INTERRUPTED(write(fd, &one, 8));
  RESTARTED(take, write(fd, &one, 8));
  fd = timerfd_create(CLOCK_MONOTONIC, 0);
  INTERRUPTED(read(fd, &number, 8));
  RESTARTED(arm, read(fd, &number, 8));
  SAY("expired %lu", (unsigned long)number);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  fd = signalfd(-1, &set, 0);
  INTERRUPTED(read(fd, data, sizeof data));
  RESTARTED(usr2, read(fd, data, sizeof data));
  fd = inotify_init();
  inotify_add_watch(fd, ".", IN_CREATE);
  INTERRUPTED(read(fd, data, sizeof data));
  RESTARTED(make, read(fd, data, sizeof data));
}
