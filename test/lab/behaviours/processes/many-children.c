// Children of several threads are all waited for, each once.
#include "../../lab.h"

static atomic_int sum;
static void *run(void *number) {
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      sleep_ms(5);
      _exit((int)(intptr_t)number + i);
    }
    if (i == 1) lab_point("a thread");
    sum += ended(child);
  }
  return NULL;
}

BEHAVIOUR {
  pthread_t threads[3];
  for (intptr_t i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, run, (void *)(10 * i));
  for (int i = 0; i < 3; ++i) GIVES(pthread_join(threads[i], NULL));
  DO(sum);
  DO(waitpid(-1, NULL, 0));
}
