// Beyond the last page of a file its mapping gives SIGBUS with the address; the rest of the last page is zero; a file that grows gives its pages.
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
static void look(const char *name, long at) {
  volatile char c = 0;
  const int signal = sigsetjmp(back, 1);
  lab_point("look");
  if (!signal) c = map[at], SAY("%s: %d", name, c);
  else SAY("%s: signal %d, at %ld, code %ld", name, signal, where, code);
}

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  const int fd = open("file", O_RDWR | O_CREAT, 0600);
  DO(write(fd, "some text", 9));
  map = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  look("text", 5);
  look("rest", 100);
  look("second page", 4096 + 7);
  DO(ftruncate(fd, 4096 + 10));
  DO(pwrite(fd, "more", 4, 4096));
  look("second page", 4096);
  look("third page", 8192 + 9);
  DO(write(1, map + 8192, 1));
  DO(munmap(map, 4 * 4096));
  look("nothing", 0);
}
