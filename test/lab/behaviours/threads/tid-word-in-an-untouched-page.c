// The word that the kernel clears as a thread ends may lie in a page that nobody has touched.
#include "../../lab.h"
#include <sched.h>

struct far { char bytes[1 << 20]; };
// In the file, with another value than it is to get.
static struct far pages[3] __attribute__((aligned(4096))) = {{"file"}, {.bytes = {[499712] = 7}}, {"end"}};
static char stack[65536] __attribute__((aligned(16)));
static atomic_int ran;
static int run(void *unused UNUSED) {
  ran = 1;
  return 0;
}

BEHAVIOUR {
  int *word = (int *)(pages[1].bytes + 499712);
  TRY(clone(run, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID, NULL, NULL, NULL, word));
  for (int i = 0; i < 2000 && (!ran || *(volatile int *)word); ++i) sleep_ms(1);
  SAY("%d, %d", ran, *word);
}
