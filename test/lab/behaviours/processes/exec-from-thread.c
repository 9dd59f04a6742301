// A thread that executes a program becomes the process's first: same process number, and the other threads are gone.
#include "../../lab.h"

static char number[20];
static void *run(void *none) {
  char *words[] = {"again", number, NULL};
  lab_point("exec");
  execv("/proc/self/exe", words);
  return none;
}

BEHAVIOUR {
  if (lab_argc > 1) {
    HOLDS(atoi(lab_argv[1]) == getpid());
    HOLDS(gettid() == getpid());
    const pid_t child = FORK();
    if (child == 0) _exit(5);
    SAY("child %d", ended(child));
    return;
  }
  sprintf(number, "%d", getpid());
  pthread_t thread;
  AT(pthread_create(&thread, NULL, run, NULL));
  pthread_join(thread, NULL);
}
