// Real, effective and saved numbers: root changes all three with setuid, a program with a saved 0 comes back, one without does not.
#include "../../lab.h"
#include <sys/fsuid.h>

static void told(void) {
  uid_t r, e, s;
  getresuid(&r, &e, &s);
  SAY("%d %d %d", r, e, s);
}

BEHAVIOUR {
  DO(seteuid(1001));
  told();
  DO(setuid(1002));
  DO(setresuid(-1, -1, 1002));
  DO(setreuid(-1, 0));
  told();
  DO(setreuid(1003, 1004));
  told();
  DO(setuid(1003));
  told();
  DO(setresuid(1004, -1, -1));
  told();
  DO(setresuid(0, 0, 0));
  DO(setuid(0));
  DO(seteuid(1005));
  DO(setresuid(1003, 1003, 1003));
  told();
  DO(setreuid(1004, -1));
  DO(setfsuid(1003));
  DO(setfsuid(0));
  DO(setfsuid(-1));
  DO(syscall(SYS_getresuid, 8, 8, 8));
}
