// A limit below what is in use takes nothing away: calls on what is there go on, and nothing more is given.
// refused: has no room for the stub under its limit on address space
// refused: has no memory for the stub
#include "../../lab.h"
#include <sys/resource.h>

static char large[1 << 20];
static void *other(void *none) { return none; }

BEHAVIOUR {
  struct rlimit limit = {1 << 20, RLIM_INFINITY};
  pthread_t thread;
  const int fd = open("file", O_RDWR | O_CREAT, 0600), zero = open("/dev/zero", O_RDONLY);
  memset(large, 'l', sizeof large);
  DO(setrlimit(RLIMIT_AS, &limit));
  DO(write(fd, large, sizeof large));
  DO(read(zero, large, sizeof large));
  DO(pread(fd, large, sizeof large, 0));
  SAY("%c", large[999999]);
  GIVES(pthread_create(&thread, NULL, other, NULL));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  const pid_t child = FORK();
  if (child == 0) _exit(large[5]);
  SAY("%d", ended(child));
  limit.rlim_cur = RLIM_INFINITY;
  DO(setrlimit(RLIMIT_AS, &limit));
  GIVES(pthread_create(&thread, NULL, other, NULL));
  GIVES(pthread_join(thread, NULL));
}
