// uretprobe and uprobe, outside of the kernel's own trampolines, end a program with SIGILL; older kernels do not know them.
// home: uretprobe, uprobe
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static void handler(int signal) { siglongjmp(back, signal); }

static void probe(const char *name, long number) {
  lab_point(name);
  const int caught = sigsetjmp(back, 1);
  if (caught) SAY("%s: signal %d", name, caught);
  else SAY("%s: %ld", name, syscall(number));
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGILL, &action, NULL);
  for (int turn = 0; turn < 3; ++turn) {
    probe("uretprobe", 335);
    probe("uprobe", 336);
  }
}
