// exit in any thread ends the process with its status; a return of the last thread by pthread_exit ends it with 0.
#include "../../lab.h"

static void *leave(void *status) {
  lab_point("in the thread");
  if (status) exit((int)(intptr_t)status);
  sleep_ms(50);
  return NULL;
}

BEHAVIOUR {
  for (intptr_t status = 0; status < 20; status += 17) {
    const pid_t child = FORK();
    if (child == 0) {
      pthread_t thread;
      pthread_create(&thread, NULL, leave, (void *)status);
      if (status) for (;;) pause();
      pthread_exit(NULL);
    }
    SAY("child %d", ended(child));
  }
}
