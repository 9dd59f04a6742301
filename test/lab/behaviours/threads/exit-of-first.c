// pthread_exit in main leaves the others running; the process ends with the last of them, with status 0, or as one of them says.
#include "../../lab.h"

static pthread_t first;
static void *run(void *status) {
  void *value = NULL;
  pthread_join(first, &value);
  SAY("the first gave %ld", (long)value);
  for (int i = 0; i < 3; ++i) AT(sleep_ms(5));
  if (status) exit((int)(long)status);
  return NULL;
}

BEHAVIOUR {
  for (long i = 0; i < 2; ++i) {
    const pid_t child = FORK();
    if (child == 0) {
      first = pthread_self();
      pthread_t thread;
      pthread_create(&thread, NULL, run, (void *)(i * 7));
      lab_point("child");
      pthread_exit((void *)99);
    }
    SAY("child %d", ended(child));
  }
}
