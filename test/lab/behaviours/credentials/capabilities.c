// capget and capset: what is given up does not come back, and calls that need it fail; versions and numbers are checked.
#include "../../lab.h"
#include <linux/capability.h>

BEHAVIOUR {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2], before[2];
  DO(syscall(SYS_capget, &head, data));
  memcpy(before, data, sizeof data);
  data[0].effective &= ~(1u << CAP_CHOWN);
  data[0].inheritable |= 1u << CAP_KILL;
  DO(syscall(SYS_capset, &head, data));
  DO(open("file", O_CREAT | O_RDWR, 0600) >= 0);
  DO(chown("file", 1001, 1001));
  DO(syscall(SYS_capset, &head, before));
  DO(chown("file", 1001, 1001));
  data[0].permitted = data[0].effective;
  DO(syscall(SYS_capset, &head, data));
  DO(syscall(SYS_capset, &head, before));
  DO(syscall(SYS_capget, &head, data));
  HOLDS(!(data[0].permitted & 1u << CAP_CHOWN) && data[0].effective == data[0].permitted);
  DO(chown("file", 0, 0));
  head.pid = 0x7ffffff0;
  DO(syscall(SYS_capget, &head, data));
  head.pid = -1;
  DO(syscall(SYS_capget, &head, data));
  head = (struct __user_cap_header_struct){0x1234, 0};
  DO(syscall(SYS_capget, &head, data));
  HOLDS(head.version == _LINUX_CAPABILITY_VERSION_3);
  head.version = 0x1234;
  DO(syscall(SYS_capget, &head, NULL));
  DO(syscall(SYS_capget, 8, data));
  head = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_1, 0};
  memset(data, 0x55, sizeof data);
  DO(syscall(SYS_capget, &head, data));
  SAY("%x", data[1].effective);
}
