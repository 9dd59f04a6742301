// A process that has registered for expedited membarriers may use them wherever it goes; others may not.
#include "../../lab.h"
#include <linux/membarrier.h>

BEHAVIOUR {
  HOLDS(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  DO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
  DO(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
  for (int i = 0; i < 3; ++i) DO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  DO(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
  for (int i = 0; i < 3; ++i) DO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
  DO(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
  DO(syscall(SYS_membarrier, 1 << 30, 0, 0));
  DO(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 7, 0));
  DO(syscall(SYS_membarrier, 512, 0, 0));              // MEMBARRIER_CMD_GET_REGISTRATIONS
}
