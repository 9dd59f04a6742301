// execve by any thread ends the others and keeps the process's number; exit_group by any ends the process.
#include "../../lab.h"

extern char **environ;
static void *run(void *how) {
  char pid[12];
  snprintf(pid, sizeof pid, "%d", getpid());
  char *words[] = {lab_argv[0], pid, NULL};
  if (how) AT(execve("/proc/self/exe", words, environ));
  AT(_exit(41));
  return NULL;
}
static void *wait_for_ever(void *none) {
  pause();
  return none;
}

BEHAVIOUR {
  if (lab_argc == 2) {
    SAY("the same process %d, its leader %d", atoi(lab_argv[1]) == getpid(), getpid() == gettid());
    lab_point("after execve");
    _exit(42);
  }
  for (long i = 0; i < 2; ++i) {
    const pid_t child = FORK();
    if (child == 0) {
      pthread_t threads[3];
      for (int k = 0; k < 2; ++k) pthread_create(&threads[k], NULL, wait_for_ever, NULL);
      lab_point("child");
      pthread_create(&threads[2], NULL, run, (void *)i);
      pthread_join(threads[0], NULL);
    }
    SAY("child %d", ended(child));
  }
}
