// Memory that may not be touched: SIGSEGV tells the address and why, and system calls say EFAULT; what was there is there again afterwards.
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *map;
static volatile long where, code;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  where = (char *)info->si_addr - map;
  code = info->si_code;
  siglongjmp(back, signal);
}
static void touch(const char *name, long at, bool write) {
  const int signal = sigsetjmp(back, 1);
  if (!signal) SAY("%s: %d", name, write ? (map[at] = 'w') : map[at]);
  else SAY("%s: signal %d at %ld, %s", name, signal, where, code == SEGV_ACCERR ? "ACCERR" : code == SEGV_MAPERR ? "MAPERR" : "?");
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  const int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
  int ends[2];
  if (pipe(ends)) abort();
  map = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(map, 'm', 4 * 4096);
  DO(mprotect(map + 4096, 4096, PROT_NONE));
  DO(mprotect(map + 8192, 4096, PROT_READ));
  AT(touch("none", 4100, false));
  AT(touch("none", 4100, true));
  AT(touch("read-only", 8200, false));
  AT(touch("read-only", 8200, true));
  DO(read(zero, map + 8192, 10));
  DO(write(ends[1], map + 4096, 10));
  DO(read(zero, map + 4096 - 4, 10));
  DO(write(ends[1], map + 8192, 2));
  DO(munmap(map + 3 * 4096, 4096));
  AT(touch("gone", 3 * 4096 + 5, false));
  DO(mprotect(map + 4096, 2 * 4096, PROT_READ | PROT_WRITE));
  AT(touch("again", 4100, false));
  AT(touch("again", 8200, true));
  DO(mprotect(map + 8192, 2 * 4096, PROT_READ));
  DO(mprotect(map + 1, 4096, PROT_READ));
  DO(mprotect(map, 4096, 0x40000));
  DO(mprotect(map, 0, PROT_READ));
  close(null);
}
