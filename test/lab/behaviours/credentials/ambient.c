// Ambient capabilities are those that are permitted and inheritable, and a program executed by another user than root has them.
#include "../../lab.h"
#include <linux/capability.h>
#include <sys/prctl.h>

static unsigned effective(void) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  return syscall(SYS_capget, &head, data) ? 0 : data[0].effective;
}

BEHAVIOUR {
  if (lab_argc > 1) {
    HOLDS(effective() == 1u << CAP_KILL);
    DO((int)geteuid());
    DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0));
    return;
  }
  DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  DO(syscall(SYS_capget, &head, data));
  data[0].inheritable = 1u << CAP_KILL;
  DO(syscall(SYS_capset, &head, data));
  DO(prctl(PR_SET_KEEPCAPS, 1));
  DO(setresuid(1001, 1001, 1001));
  DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
  DO(prctl(PR_CAP_AMBIENT, 9, CAP_CHOWN, 0, 0));
  DO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 1));
  lab_point("exec");
  execl("/proc/self/exe", "again", "x", NULL);
  SAY("%s", lab_error(errno));
}
