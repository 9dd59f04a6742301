// Clocks that never jump, sleeps and timers that keep their deadlines, CPU time that goes on counting.
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>

static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
static double previous[6];
static int watched = 6;  // without the last two for a process that moves: at home the kernel counts only what was used at home
static volatile sig_atomic_t ticks;

static double read_clock(clockid_t id) {
  struct timespec t;
  CHECK(clock_gettime(id, &t) == 0);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void never_back(void) {
  for (int turn = 0; turn < 3000; ++turn) {
    for (int i = 0; i < watched; ++i) {
      const double at = read_clock(clocks[i]);
      CHECK(at >= previous[i]);
      if (at < previous[i] && failures < 10) printf("clock %d went back by %.9f s to %.9f\n", (int)clocks[i], previous[i] - at, at);
      previous[i] = at;
    }
  }
  struct timeval day;
  gettimeofday(&day, NULL);
  const double real = read_clock(CLOCK_REALTIME);
  CHECK(real - ((double)day.tv_sec + (double)day.tv_usec / 1e6) < 1 && real >= (double)day.tv_sec);
  CHECK(time(NULL) + 0.02 >= (double)day.tv_sec + (double)day.tv_usec / 1e6 - 1);  // of the last tick: it may still be in the second before
}

static void in_step(double real_minus_monotonic) {
  const double difference = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
  CHECK(difference - real_minus_monotonic < 0.05 && difference - real_minus_monotonic > -0.05);
}

#define TAKES(seconds, call) TAKES_SINCE(now(), seconds, call)
// For a deadline: from the moment it was computed on, for much time may pass before it is waited for.
#define TAKES_SINCE(start, seconds, call)                               \
  do {                                                                  \
    const double began = (start);                                       \
    CHECK(call);                                                        \
    const double took = now() - began;                                  \
    CHECK(took >= (seconds) - 0.0011);                                  \
    if (took < (seconds) - 0.0011) printf("%s took %.6f s\n", #call, took); \
    CHECK(took < (seconds) + 2);                                        \
  } while (0)

static void sleeps(void) {
  struct timespec until;
  TAKES(0.06, nanosleep(&(struct timespec){0, 60000000}, NULL) == 0);
  double computed = now();
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += 50000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec += 1, until.tv_nsec -= 1000000000;
  TAKES_SINCE(computed, 0.05, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
  TAKES(0.04, poll(NULL, 0, 40) == 0);
  struct timeval some = {0, 30000};
  TAKES(0.03, select(0, NULL, NULL, NULL, &some) == 0);
  const int fd = epoll_create1(0);
  struct epoll_event event;
  TAKES(0.03, epoll_wait(fd, &event, 1, 30) == 0);
  close(fd);
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t never = PTHREAD_COND_INITIALIZER;
  computed = now();
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 40000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec += 1, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&lock);
  TAKES_SINCE(computed, 0.039, pthread_cond_timedwait(&never, &lock, &until) == ETIMEDOUT);
  pthread_mutex_unlock(&lock);
}

static void on_tick(int s) {
  (void)s;
  ++ticks;
}

static void timers(void) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  const struct itimerspec every = {{0, 10000000}, {0, 20000000}};
  unsigned long long times = 0;
  TAKES(0.02, timerfd_settime(fd, 0, &every, NULL) == 0 && read(fd, &times, sizeof times) == sizeof times && times >= 1);
  close(fd);
  signal(SIGALRM, on_tick);
  ticks = 0;
  const struct itimerval beat = {{0, 5000}, {0, 5000}};
  CHECK(setitimer(ITIMER_REAL, &beat, NULL) == 0);
  const double began = now();
  while (ticks < 5 && now() - began < 5) spin(10000);
  CHECK(ticks >= 5);
  const struct itimerval none = {{0, 0}, {0, 0}};
  struct itimerval old;
  CHECK(setitimer(ITIMER_REAL, &none, &old) == 0 && old.it_interval.tv_usec == 5000);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  const int before = ticks;
  const double start = now();
  CHECK(timer_settime(timer, 0, &(struct itimerspec){{0, 0}, {0, 10000000}}, NULL) == 0);
  while (ticks == before && now() - start < 5) spin(10000);
  CHECK(ticks > before && now() - start >= 0.0099);
  CHECK(timer_delete(timer) == 0);
}

static void processor_time(void) {
  struct rusage before, after;
  struct tms t0, t1;
  getrusage(RUSAGE_SELF, &before);
  times(&t0);
  const double cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
  while (read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu < 0.05) spin(10000);
  getrusage(RUSAGE_SELF, &after);
  times(&t1);
  const double used = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) + (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
                      (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) + (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
  CHECK(used > 0.02 && used < 1);
  CHECK(t1.tms_utime + t1.tms_stime >= t0.tms_utime + t0.tms_stime);
}

int main(int argc, char **argv) {
  if (argc > 2 && !strcmp(argv[2], "elapsed")) watched = 4;
  const double end = now() + (argc > 1 ? atof(argv[1]) : 0);
  const double difference = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
  do {
    never_back();
    in_step(difference);
    sleeps();
    timers();
    if (watched == 6) processor_time();
  } while (now() < end);
  return finish();
}
