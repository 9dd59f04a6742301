// A mapping of a file shows its bytes, zeros up to the end of the page, and SIGBUS beyond; a private one can be written.
// home: mmap
#include "../../lab.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile sig_atomic_t why;
static void handler(int signal, siginfo_t *info, void *context UNUSED) { why = signal == SIGBUS ? info->si_code : -1; siglongjmp(back, 1); }

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGBUS, &action, NULL);
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(write(fd, "beginning", 9));
  DO(pwrite(fd, "second", 6, 4096));
  char *map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  DO(close(fd));
  AT(SAY("%.9s %d %.6s %d", map, map[100], map + 4096, map[8191]));
  if (!sigsetjmp(back, 1)) AT(SAY("read %d", map[8192]));
  SAY("code %d", why);
  AT(memcpy(map, "BEG", 3));
  SAY("%.9s", map);
  const int again = DO(open("file", O_RDONLY));
  char text[12] = "";
  DO(read(again, text, 9));
  SAY("%s", text);
  DO(munmap(map, 16384));
  DO(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, again, 0) == MAP_FAILED);
  DO(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0) == MAP_FAILED);
  DO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, again, 5) == MAP_FAILED);
  DO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED);
  DO(mmap(NULL, 4096, PROT_READ, 0, again, 0) == MAP_FAILED);
}
