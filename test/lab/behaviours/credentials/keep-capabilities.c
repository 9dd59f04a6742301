// A change of user from root drops the capabilities, unless keepcaps or securebits say otherwise.
#include "../../lab.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

static void told(void) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  syscall(SYS_capget, &head, data);
  SAY("chown: effective %d permitted %d", data[0].effective & 1, data[0].permitted & 1);
}

BEHAVIOUR {
  DO(seteuid(1001));
  told();
  DO(seteuid(0));
  told();
  DO(prctl(PR_SET_KEEPCAPS, 1));
  DO(prctl(PR_GET_KEEPCAPS));
  DO(prctl(PR_SET_KEEPCAPS, 2));
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("setresuid");
    if (setresuid(1001, 1001, 1001)) abort();
    told();
    _exit(0);
  }
  SAY("child %d", ended(child));
  DO(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS_LOCKED));
  DO(prctl(PR_GET_SECUREBITS));
  DO(prctl(PR_SET_KEEPCAPS, 0));
  DO(setresuid(1001, 1001, 1001));
  told();
  DO(prctl(PR_CAPBSET_READ, CAP_CHOWN));
  DO(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
  DO(prctl(PR_CAPBSET_READ, CAP_CHOWN));
  DO(prctl(PR_CAPBSET_READ, 99));
}
