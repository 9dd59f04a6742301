// exit(2) of the first thread leaves the others running: the process stays a child that has not ended, and takes signals.
// refused: first thread has ended
#include "../../lab.h"

static void *stay(void *none) {
  sleep_ms(40);
  lab_point("without the first thread");
  if (write(9, "a", 1) != 1) abort();
  lab_point("to be killed");
  for (;;) pause();
  return none;
}

BEHAVIOUR {
  int ends[2];
  DO(pipe(ends));
  const pid_t child = FORK();
  if (child == 0) {
    dup2(ends[1], 9);
    pthread_t thread;
    pthread_create(&thread, NULL, stay, NULL);
    syscall(SYS_exit, 3);
  }
  char word;
  DO(read(ends[0], &word, 1));
  DO(waitpid(child, NULL, WNOHANG));
  DO(kill(child, SIGTERM));
  SAY("child %d", ended(child));
}
