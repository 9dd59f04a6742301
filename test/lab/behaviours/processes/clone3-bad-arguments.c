// clone3 looks at the size and at every field of its structure before it makes anything.
// home: clone3, clone
#include "../../lab.h"
#include <linux/sched.h>

BEHAVIOUR {
  struct { struct clone_args args; unsigned long more[4]; } a = {0};
  a.args.exit_signal = SIGCHLD;
  DO(syscall(SYS_clone3, &a, 0));
  DO(syscall(SYS_clone3, &a, 63));
  DO(syscall(SYS_clone3, &a, 5000));
  a.more[1] = 1;
  DO(syscall(SYS_clone3, &a, sizeof a));
  DO(syscall(SYS_clone3, NULL, 64));
  DO(syscall(SYS_clone3, (void *)8, 88));
  a.args.exit_signal = 65;
  DO(syscall(SYS_clone3, &a, 88));
  a.args = (struct clone_args){.flags = SIGCHLD};
  DO(syscall(SYS_clone3, &a, 88));
  a.args = (struct clone_args){.exit_signal = SIGCHLD, .stack_size = 4096};
  DO(syscall(SYS_clone3, &a, 88));
  a.args = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
  DO(syscall(SYS_clone3, &a, 88));
  a.args = (struct clone_args){.exit_signal = SIGCHLD, .flags = 1ull << 60};
  DO(syscall(SYS_clone3, &a, 88));
  a.args = (struct clone_args){.exit_signal = SIGCHLD, .flags = 0x100000000 | 0x800 | 0x100};
  DO(syscall(SYS_clone3, &a, 88));
  a.args = (struct clone_args){.exit_signal = SIGCHLD, .set_tid_size = 1};
  DO(syscall(SYS_clone3, &a, 88));
  DO(waitpid(-1, NULL, WNOHANG | __WALL));
}
