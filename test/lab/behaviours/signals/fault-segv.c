// A bad access raises SIGSEGV with its address and the reason: nothing mapped, not allowed, or no address at all.
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static siginfo_t last;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  last = *info;
  siglongjmp(back, 1);
}
static void touch(const char *what, volatile char *at, bool write) {
  lab_point(what);
  if (sigsetjmp(back, 1) == 0) {
    if (write) *at = 1;
    else SAY("%s: read %d", what, *at);
  } else SAY("%s: code %d address %s", what, last.si_code, last.si_addr == at ? "right" : last.si_addr ? "WRONG" : "none");
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  DO(sigaction(SIGSEGV, &action, NULL));
  char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  page[4096] = 3;
  mprotect(page + 4096, 4096, PROT_READ);
  munmap(page + 8192, 4096);
  touch("not writable", page + 5000, true);
  touch("readable", page + 4096, false);
  touch("not mapped", page + 8200, false);
  mprotect(page, 4096, PROT_NONE);
  touch("no access", page + 1, false);
  touch("no address", (char *)0x1234567812345678, false);
  touch("null", NULL, true);
  touch("the kernel's", (char *)0xffff888000000000, false);
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  SAY("blocked %d", sigismember(&mask, SIGSEGV));
}
