// Group numbers and the supplementary groups: root sets any, nobody else does, and getgroups says how many there are.
#include "../../lab.h"
#include <grp.h>
#include <sys/fsuid.h>

BEHAVIOUR {
  gid_t groups[4] = {20, 30, 40, 7}, got[4] = {9, 9, 9, 9}, r, e, s;
  DO(setgroups(3, groups));
  DO(getgroups(0, NULL));
  DO(getgroups(2, got));
  DO(getgroups(4, got));
  SAY("%d %d %d %d", got[0], got[1], got[2], got[3]);
  DO(setgroups(65537, groups));
  DO(syscall(SYS_setgroups, 2, 8));
  DO(syscall(SYS_getgroups, 3, 8));
  DO(syscall(SYS_getgroups, -1, got));
  DO(setresgid(30, 40, 50));
  DO(setgid(60));
  AT(getresgid(&r, &e, &s));
  SAY("%d %d %d", r, e, s);
  DO(setuid(1001));
  DO(setgid(61));
  DO(setgroups(0, NULL));
  DO(setregid(60, 60));
  DO(getgroups(4, got));
  DO(setfsgid(20));
  DO(setfsgid(-1));
}
