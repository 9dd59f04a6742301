// fork in a thread copies that thread alone, which becomes the first of the child; the handlers of pthread_atfork run in order.
#include "../../lab.h"

static char seen[32];
static __thread int mine = 3;
static void p1(void) { strcat(seen, "p"); }
static void p2(void) { strcat(seen, "P"); }
static void a1(void) { strcat(seen, "a"); }
static void a2(void) { strcat(seen, "A"); }
static void c1(void) { strcat(seen, "c"); }
static void c2(void) { strcat(seen, "C"); }
static void *nothing(void *none) { return none; }
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *run(void *none) {
  mine = 9;
  pthread_mutex_lock(&mutex);
  const pid_t child = FORK();
  if (child == 0) {
    SAY("child: handlers %s, mine %d, leader %d", seen, mine, getpid() == gettid());
    lab_point("child");
    pthread_mutex_unlock(&mutex);
    pthread_t thread;
    GIVES(pthread_create(&thread, NULL, nothing, NULL));
    GIVES(pthread_join(thread, NULL));
    _exit(mine);
  }
  SAY("child %d", ended(child));
  SAY("parent: handlers %s", seen);
  pthread_mutex_unlock(&mutex);
  return none;
}
static void *other(void *none) {
  for (;;) sleep_ms(5), mine = 1;
  return none;
}

BEHAVIOUR {
  pthread_atfork(p1, a1, c1);
  pthread_atfork(p2, a2, c2);
  pthread_t thread;
  pthread_create(&thread, NULL, other, NULL);
  for (int i = 0; i < 3; ++i) {
    seen[0] = 0;
    pthread_create(&thread, NULL, run, NULL);
    GIVES(pthread_join(thread, NULL));
  }
}
