// Does nothing, and is large in one respect.  sized mappings|threads|descriptors|pages N: has so many of them more than a program needs.
#include "worker.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

static void *rest(void *nothing) {
  for (;;) pause();
  return nothing;
}

static void make(const char *what, size_t count) {
  if (!strcmp(what, "threads")) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    for (pthread_t thread; count > 0; --count)
      if ((errno = pthread_create(&thread, &attributes, rest, NULL)) != 0) fail("pthread_create");
  } else if (!strcmp(what, "descriptors")) {
    const struct rlimit limit = {count + 64, count + 64};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
    for (; count > 0; --count)
      if (open("/dev/null", O_RDONLY) < 0) fail("open");
  } else if (!strcmp(what, "mappings")) {
    // Those beside each other differ, or the kernel would make one of them.
    for (size_t i = 0; i < count; ++i)
      if (mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) fail("mmap");
  } else {
    char *memory = malloc(count * 4096);
    if (memory == NULL) fail("malloc");
    for (size_t i = 0; i < count; ++i) memory[i * 4096] = 1;
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  make(argv[1], strtoul(argv[2], NULL, 10));
  say("ready %d", getpid());
  for (;;) pause();
}
