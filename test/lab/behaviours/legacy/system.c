// Numbers that the kernel does not serve any more give ENOSYS, and those that never were.
// home: uselib
#include "../../lab.h"

BEHAVIOUR {
  const int gone[] = {SYS_uselib, SYS_create_module, SYS_get_kernel_syms, SYS_query_module, SYS_nfsservctl, SYS_getpmsg, SYS_putpmsg, SYS_afs_syscall,
                      SYS_tuxcall, SYS_security, SYS_vserver, SYS_epoll_ctl_old, SYS_epoll_wait_old, 337, 380, 423};
  for (size_t i = 0; i < sizeof gone / sizeof *gone; ++i) {
    lab_point("gone");
    errno = 0;
    const long result = syscall(gone[i], 0, 0, 0);
    SAY("%d: %ld %s", gone[i], result, strerrorname_np(errno));
  }
}
