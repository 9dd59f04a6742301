// Numbers that no call has are ENOSYS, and do no harm.
// home: uselib, 1000, 999, 777, 555
#include "../../lab.h"

BEHAVIOUR {
  DO(syscall(1000, 1, 2, 3));
  DO(syscall(0xfffff));
  DO(syscall(-2L));
  DO(syscall(SYS_tuxcall, 1));
  DO(syscall(SYS_uselib, "x"));
  DO(syscall(SYS_nfsservctl, 0));
  DO(syscall(SYS_create_module, "x", 1));
  DO(syscall(SYS_query_module, 0));
  DO(getppid() > 0);
}
