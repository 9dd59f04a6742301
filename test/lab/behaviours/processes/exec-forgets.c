// What a program has not that is executed: timers of timer_create, message notification, memory locks, mappings, threads, descriptors with close-on-exec.
// refused: it has a view of itself open
// home: open, openat
#include "../../lab.h"

static void *sleeper(void *none) {
  for (;;) pause();
  return none;
}

BEHAVIOUR {
  if (lab_argc > 1) {
    struct itimerspec left;
    DO(syscall(SYS_timer_gettime, 0, &left));
    DO(fcntl(atoi(lab_argv[1]), F_GETFD));
    DO(fcntl(atoi(lab_argv[2]), F_GETFD));
    int found = 0;
    char line[300];
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status))
      if (!strcmp(line, "Threads:\t1\n") || !strncmp(line, "VmLck:\t       0", 15)) ++found;
    SAY("found %d", found);
    return;
  }
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM};
  DO(timer_create(CLOCK_MONOTONIC, &event, &timer));
  DO(timer_settime(timer, 0, &(struct itimerspec){.it_value = {100, 0}}, NULL));
  pthread_t thread;
  pthread_create(&thread, NULL, sleeper, NULL);
  static char page[8192];
  DO(mlock(page, sizeof page));
  const int closed = DO(open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), kept = DO(open("file", O_RDONLY));
  char one[20], two[20], *words[] = {"again", one, two, NULL};
  sprintf(one, "%d", closed);
  sprintf(two, "%d", kept);
  lab_point("exec");
  execv("/proc/self/exe", words);
  SAY("%s", lab_error(errno));
}
