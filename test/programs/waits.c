/* One thread for each way to wait for a time; each says what came of it, and how long it took: waits SECONDS */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct timespec *whole; /* in memory that cannot be written */
static int milliseconds, pair[2];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long wait_for(const char *how) {
  struct epoll_event event;
  char byte;
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  if (!strcmp(how, "nanosleep")) return nanosleep(whole, 0);
  if (!strcmp(how, "poll")) return poll(0, 0, milliseconds);
  if (!strcmp(how, "ppoll")) return syscall(SYS_ppoll, 0, 0, whole, 0, 8);
  if (!strcmp(how, "pselect6")) return syscall(SYS_pselect6, 0, 0, 0, 0, whole, 0);
  if (!strcmp(how, "epoll_wait")) return epoll_wait(epoll_create1(0), &event, 1, milliseconds);
  if (!strcmp(how, "epoll_pwait2")) return syscall(441, epoll_create1(0), &event, 1, whole, 0, 8);
  if (!strcmp(how, "rt_sigtimedwait")) return sigtimedwait(&usr1, 0, whole);
  if (!strcmp(how, "semtimedop")) {
    int set = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf down = {0, -1, 0};
    long result = semtimedop(set, &down, 1, whole);
    int error = errno;
    semctl(set, 0, IPC_RMID);
    errno = error;
    return result;
  }
  if (!strcmp(how, "recvfrom")) return recv(pair[0], &byte, 1, 0);
  return read(pair[1], &byte, 1);
}

static void *run(void *how) {
  double began = now();
  long result = wait_for(how);
  int error = result < 0 ? errno : 0;
  printf("%s %ld %d %.2f\n", (const char *)how, result, error, now() - began);
  return 0;
}

int main(int count, char **words) {
  static const char *const ways[] = {"nanosleep", "poll", "ppoll", "pselect6", "epoll_wait", "epoll_pwait2", "rt_sigtimedwait", "semtimedop", "recvfrom", "read"};
  enum { kWays = sizeof ways / sizeof *ways };
  if (count != 2) return 2;
  milliseconds = (int)(atof(words[1]) * 1000);
  whole = aligned_alloc(4096, 4096);
  *whole = (struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L};
  const struct timeval socket_time = {whole->tv_sec, whole->tv_nsec / 1000};
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigprocmask(SIG_BLOCK, &usr1, 0);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 1;
  for (int i = 0; i < 2; i++) setsockopt(pair[i], SOL_SOCKET, SO_RCVTIMEO, &socket_time, sizeof socket_time);
  if (syscall(SYS_mprotect, whole, 4096, 1)) return 1;
  pthread_t threads[kWays];
  for (int i = 0; i < kWays; i++) pthread_create(&threads[i], 0, run, (void *)ways[i]);
  for (int i = 0; i < kWays; i++) pthread_join(threads[i], 0);
  return 0;
}
