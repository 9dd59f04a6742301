// Timers tell of their end by a signal, by one for a thread, by a thread, or not at all.
#include "../../lab.h"

static volatile sig_atomic_t count;
static volatile pid_t handled_by;
static volatile int thread_value;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  handled_by = gettid();
  count += info->si_code == SI_TIMER ? info->si_value.sival_int : 1000;   // what the other thread waits for
}
static void on_thread(union sigval value) { thread_value = value.sival_int; }
static volatile pid_t other_tid;
static volatile int stop;
static void *other(void *none) {
  other_tid = gettid();
  while (!stop) sleep_ms(1);
  return none;
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGRTMIN + 1, &action, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, other, NULL);
  while (!other_tid) sleep_ms(1);
  timer_t timers[4];
  struct itimerspec soon = {.it_value = {0, 60000000}}, left;
  const int kinds[] = {SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD_ID, SIGEV_THREAD};
  for (int i = 0; i < 4; ++i) {
    struct sigevent event = {.sigev_notify = kinds[i], .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = i};
    if (i == 3) event.sigev_notify_function = on_thread;
    if (i == 2) event._sigev_un._tid = other_tid;
    TRY(timer_create(i % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &event, &timers[i]));
    DO(timer_settime(timers[i], 0, &soon, NULL));
    while (i == 1 && count != 1) sleep_ms(1);
    while (i == 2 && count != 3) sleep_ms(1);
    while (i == 3 && thread_value != 3) sleep_ms(1);
    if (i == 2) HOLDS(handled_by == other_tid);
    AT(timer_gettime(timers[i], &left));
    while (timer_gettime(timers[i], &left) == 0 && left.it_value.tv_nsec) sleep_ms(1);
    DO(timer_delete(timers[i]));
  }
  stop = 1;
  pthread_join(thread, NULL);
}
