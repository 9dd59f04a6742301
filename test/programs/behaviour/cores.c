// Deaths that leave a core: the status says so, and the core has the memory as it was, wherever the process was when it died.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *secret;

// Does the file hold the word `text` with the lowest bit of each letter turned? (So that no other copy of it can be found.)
static int holds(const char *name, const char *text) {
  const int fd = open(name, O_RDONLY);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) return 0;
  const char *all = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  char turned[64];
  const size_t length = strlen(text);
  for (size_t i = 0; i < length; ++i) turned[i] = text[i] ^ 1;
  const int found = all != MAP_FAILED && memmem(all, (size_t)status.st_size, turned, length) != NULL;
  if (all != MAP_FAILED) munmap((void *)all, (size_t)status.st_size);
  close(fd);
  return found;
}

static int plain_pattern(void) {
  char text[128] = "";
  const int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);
  const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  return n == 5 && strcmp(text, "core\n") == 0;
}

static void die(int way, const char *text) {
  for (size_t i = 0; text[i]; ++i) secret[i] = text[i] ^ 1;
  switch (way) {
    case 0: abort();
    case 1: *(volatile char *)8 = 1; break;
    case 2: raise(SIGQUIT); break;
    case 3: for (;;) pause();
    default: for (;;) continue;
  }
}

static void one(int way, rlim_t limit) {
  static const int expected[] = {SIGABRT, SIGSEGV, SIGQUIT, SIGXCPU, SIGTRAP};
  char text[64], name[64];
  int ends[2], status = 0;
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){limit, RLIM_INFINITY});
    secret = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 40000;
    snprintf(text, sizeof text, "secret of %d", (int)getpid());
    if (write(ends[1], "x", 1) != 1) _exit(1);
    die(way, text);
    _exit(1);
  }
  char byte;
  CHECK(read(ends[0], &byte, 1) == 1);
  close(ends[0]);
  close(ends[1]);
  if (way > 2) {
    usleep(30000);
    kill(child, expected[way]);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == expected[way]);
  snprintf(text, sizeof text, "secret of %d", (int)child);
  snprintf(name, sizeof name, "core.%d", (int)child);
  if (plain_pattern()) {
    CHECK(!!WCOREDUMP(status) == (limit != 0));
    if (limit != 0) CHECK(holds("core", text) || holds(name, text));
  }
  unlink("core");
  unlink(name);
}

int main(int argc, char **argv) {
  const double end = now() + (argc > 1 ? atof(argv[1]) : 0);
  do {
    for (int way = 0; way < 5; ++way) {
      one(way, RLIM_INFINITY);
      one(way, 0);
    }
  } while (now() < end);
  return finish();
}
