// Threads keep their numbers and their names, and /proc shows them.
#include "../../lab.h"
#include <sys/prctl.h>

static volatile pid_t tid;
static volatile int stop, wrong;
static void *run(void *none) {
  tid = gettid();
  while (!stop) {
    if (gettid() != tid || getpid() == tid) ++wrong;
    sleep_ms(1);
  }
  return none;
}
static void show(pid_t t) {
  char path[64], name[64] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", t);
  const int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, name, sizeof name - 1) < 0) SAY("no name");
  SAY("%s", name);
  close(fd);
}

BEHAVIOUR {
  char name[20] = "";
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  while (!tid) sleep_ms(1);
  GIVES(pthread_setname_np(thread, "worker"));
  GIVES(pthread_setname_np(thread, "a name that is too long"));
  DO(prctl(PR_SET_NAME, "this name is cut short"));
  for (int i = 0; i < 3; ++i) {
    GIVES(pthread_getname_np(thread, name, sizeof name));
    SAY("%s", name);
    DO(prctl(PR_GET_NAME, name));
    SAY("%s", name);
    show(tid), show(gettid());
  }
  GIVES(pthread_getname_np(thread, name, 5));
  HOLDS(gettid() == getpid() && syscall(SYS_gettid) == getpid());
  stop = 1;
  pthread_join(thread, NULL);
  HOLDS(wrong == 0);
}
