// openat2 keeps the way inside a directory, or off links, as it is told; unknown wishes are refused.
#include "../../lab.h"
#include <linux/openat2.h>

static int get(int dir, const char *name, unsigned long long resolve) {
  struct open_how how = {.flags = O_PATH, .resolve = resolve};
  return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

BEHAVIOUR {
  struct { struct open_how how; char more[8]; } larger = {{.flags = O_RDONLY}, ""};
  DO(mkdir("d", 0700));
  DO(symlink("..", "d/up"));
  DO(symlink("/d", "d/absolute"));
  DO(mkdir("d/d", 0700));
  const int d = DO(open("d", O_PATH));
  TRY(get(d, "up", 0));
  DO(get(d, "up", RESOLVE_BENEATH));
  DO(get(d, "../d", RESOLVE_BENEATH));
  DO(get(d, "/", RESOLVE_BENEATH));
  TRY(get(d, "absolute", RESOLVE_IN_ROOT));
  TRY(get(d, "../../../d", RESOLVE_IN_ROOT));
  DO(get(d, "up/d", RESOLVE_NO_SYMLINKS));
  DO(get(AT_FDCWD, "/proc/self/cwd/d", RESOLVE_NO_MAGICLINKS));
  DO(get(AT_FDCWD, "/proc/self", RESOLVE_NO_XDEV));
  DO(get(d, "d", 1 << 20));
  TRY(syscall(SYS_openat2, d, "d", &larger, sizeof larger));
  larger.more[3] = 1;
  DO(syscall(SYS_openat2, d, "d", &larger, sizeof larger));
  DO(syscall(SYS_openat2, d, "d", &larger, 8));
  larger.how.mode = 0600;
  DO(syscall(SYS_openat2, d, "d", &larger, sizeof larger.how));
  larger.how = (struct open_how){.flags = 1ull << 40};
  DO(syscall(SYS_openat2, d, "d", &larger, sizeof larger.how));
}
