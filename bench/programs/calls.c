// One kind of system call, over and over.  Orders: KIND COUNT.  Answer: seconds per call.
#include "worker.h"

#include <signal.h>
#include <sys/syscall.h>

typedef void (*Kind)(void);

static void parent(void) { syscall(SYS_getppid); }
static void own(void) { syscall(SYS_getpid); }
static void mask(void) {
  uint64_t old;
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &old, sizeof old);
}
static void realtime(void) {
  struct timespec t;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &t);   // not the C library's, which asks the vdso
}

static Kind find(const char *name) {
  static const struct {
    const char *name;
    Kind kind;
  } kinds[] = {{"getppid", parent}, {"getpid", own}, {"sigprocmask", mask}, {"clock_gettime", realtime}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i)
    if (strcmp(kinds[i].name, name) == 0) return kinds[i].kind;
  fprintf(stderr, "unknown kind of call: %s\n", name);
  exit(1);
}

int main(void) {
  char line[100], name[50];
  unsigned count;
  say("ready %d", getpid());
  while (next_order(line, sizeof line) && sscanf(line, "%49s %u", name, &count) == 2) {
    const Kind kind = find(name);
    const double begin = now();
    for (unsigned i = 0; i < count; ++i) kind();
    say("%.9g", (now() - begin) / count);
  }
}
