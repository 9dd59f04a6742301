// One thread sleeps in state D for as many seconds as its argument says, others work and wait; then tells the longest time in which they could not, and
// how many waits ended before their time.
// disk-sleep SECONDS.  State D: a page of the child that is asked for by process_vm_readv(2), and which the child gives late (userfaultfd(2)).
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *page;
static pid_t child;
static atomic_int woken;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int give_late(double seconds, int ready) {
  int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = {.api = UFFD_API};
  struct uffdio_register whole = {.range = {(unsigned long)page, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
  if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &whole) || write(ready, "r", 1) != 1) return 1;
  struct pollfd asked = {fd, POLLIN, 0};
  if (poll(&asked, 1, 60000) != 1) return 2;
  usleep((unsigned)(seconds * 1e6));
  static char late[4096] __attribute__((aligned(4096))) = "late";
  struct uffdio_copy copy = {.dst = (unsigned long)page, .src = (unsigned long)late, .len = 4096};
  return ioctl(fd, UFFDIO_COPY, &copy) ? 3 : 0;
}

static void *ask(void *unused) {
  (void)unused;
  char answer[8] = "";
  struct iovec here = {answer, 5}, there = {page, 5};
  long n = process_vm_readv(child, &here, 1, &there, 1, 0);
  printf("read %ld: %s\n", n, answer);
  woken = 1;
  return NULL;
}

// A wait that any stop ends (signal(7)): nobody is to know of a stop by a mover.
static void *wait_for_nothing(void *early) {
  const int none = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event;
  while (!woken) {
    const double begun = now();
    *(int *)early += epoll_wait(none, &event, 1, 700) != 0 || now() - begun < 0.7;
  }
  return NULL;
}

int main(int argc, char **argv) {
  const double seconds = argc > 1 ? atof(argv[1]) : 1;
  int ready[2];
  char one;
  page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pipe(ready) || (child = fork()) < 0) return 1;
  if (!child) _exit(give_late(seconds, ready[1]));
  close(ready[1]);
  if (read(ready[0], &one, 1) != 1) return 2;
  pthread_t thread, waiting;
  int early = 0;
  if (pthread_create(&thread, NULL, ask, NULL) || pthread_create(&waiting, NULL, wait_for_nothing, &early)) return 3;
  usleep(100000);
  puts("ready");
  fflush(stdout);
  double longest = 0, last = now();
  while (!woken) {
    const double at = now();
    if (at - last > longest) longest = at - last;
    last = at;
    usleep(1000);
  }
  pthread_join(thread, NULL);
  pthread_join(waiting, NULL);
  int status;
  waitpid(child, &status, 0);
  printf("child %d, longest gap %s, %d waits ended early\n", status, longest < 0.7 ? "short" : "LONG", early);
  fprintf(stderr, "%.3f\n", longest);
  return 0;
}
