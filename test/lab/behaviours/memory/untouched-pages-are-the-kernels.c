// Pages of the program's file that it has never touched may be given to calls that its own kernel carries out, to be written and to be read.
#include "../../lab.h"
#include <asm/prctl.h>
#include <linux/futex.h>
#include <sys/prctl.h>

// In the file, since the first of them is not zero, and with pages between them that are asked for together with others.
struct far { char bytes[1 << 20]; };
static struct far pages[16] __attribute__((aligned(4096))) = {{"file"}};
static char *next(void) {
  static int used;
  return pages[++used].bytes + 8192;
}
struct waiter { uint64_t value, word; uint32_t flags, reserved; };

BEHAVIOUR {
  char *at = next();
  DO(syscall(SYS_getrandom, at, 16, 0));
  at = next();
  DO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, at));
  at = next();
  DO(syscall(SYS_getcpu, at, at + (2 << 12), NULL));
  at = next();
  DO(syscall(SYS_mincore, pages, 4096, at));
  SAY("%d", at[0] & 1);
  at = next();
  DO(syscall(SYS_arch_prctl, ARCH_GET_FS, at));
  at = next();
  DO(prctl(PR_GET_TID_ADDRESS, at));
  at = next();
  DO(syscall(SYS_get_robust_list, 0, at, at + (2 << 12)));
  at = next();
  DO(syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
  at = next();
  DO(syscall(SYS_futex, at, FUTEX_WAKE, 1, NULL, NULL, 0));
  at = next();
  DO(syscall(SYS_futex, at, FUTEX_WAKE_OP_PRIVATE, 1, 1, at + (2 << 12), FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 1)));
  SAY("%d", at[2 << 12]);
  at = next();
  DO(syscall(SYS_futex, at, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
  DO(syscall(SYS_futex, at, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
  SAY("%d", at[0]);
  at = next();
  struct waiter waiters[] = {{1, (uintptr_t)at, 2 | FUTEX_PRIVATE_FLAG, 0}, {0, (uintptr_t)(at + (2 << 12)), 2 | FUTEX_PRIVATE_FLAG, 0}};
  DO(syscall(SYS_futex_waitv, waiters, 2, 0, NULL, 0));
  SAY("%s", pages[0].bytes);
}
