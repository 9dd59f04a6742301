// A program in an own UTS namespace names its machine without anybody else seeing it, its children in it too.
#include "../../lab.h"
#include <sched.h>
#include <sys/utsname.h>

BEHAVIOUR {
  char before[100] = "", now[100] = "";
  gethostname(before, sizeof before);
  const pid_t other = FORK();
  if (other == 0) {
    if (unshare(CLONE_NEWUTS)) _exit(1);
    lab_point("alone");
    if (sethostname("laboratory", 10) || setdomainname("test", 4)) _exit(2);
    const pid_t child = FORK();
    if (child == 0) {
      struct utsname name;
      lab_point("in the child");
      _exit(uname(&name) || strcmp(name.nodename, "laboratory") || strcmp(name.domainname, "test") ? 3 : 33);
    }
    lab_point("both");
    _exit(ended(child));
  }
  SAY("child %d", ended(other));
  DO(gethostname(now, sizeof now));
  HOLDS(!strcmp(before, now));
  DO(syscall(SYS_sethostname, "x", 65));
  DO(syscall(SYS_sethostname, 8, 5));
  DO(unshare(0x1));
}
