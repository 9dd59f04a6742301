/* Attempts that would show at the hosting node. Each is made in the program's own code and in the stub's; a plain run of root there succeeds. */
#include "attack.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef long Call(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
#define P(x) ((u64)(uintptr_t)(x))

static struct sockaddr_in at_loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A socket of the hosting node's own network, let loose and turned to somebody else. */
static long turn(Call *call, int fd, struct sockaddr_in *to) {
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  call(SYS_connect, (u64)fd, P(&none), sizeof none, 0, 0, 0);
  long result = call(SYS_connect, (u64)fd, P(to), sizeof *to, 0, 0, 0);
  if (result < 0) result = call(SYS_sendto, (u64)fd, P("x"), 1, MSG_FASTOPEN | MSG_NOSIGNAL, P(to), sizeof *to);
  return result;
}

static long attempt(Call *call, const char *what, char **words) {
  if (!strcmp(what, "file")) return call(SYS_open, P(words[0]), O_CREAT | O_WRONLY, 0600, 0, 0, 0);
  if (!strcmp(what, "hostname")) return call(SYS_sethostname, P("reached"), 7, 0, 0, 0, 0);
  if (!strcmp(what, "mount")) return call(SYS_mount, P("reached"), P("/tmp"), P("tmpfs"), 0, 0, 0);
  if (!strcmp(what, "kill")) return call(SYS_kill, (u64)atoi(words[0]), SIGKILL, 0, 0, 0, 0);
  if (!strcmp(what, "trace")) return call(SYS_ptrace, PTRACE_SEIZE, (u64)atoi(words[0]), 0, 0, 0, 0);
  if (!strcmp(what, "namespace")) {
    struct clone_args arguments = {.flags = CLONE_NEWUSER | CLONE_NEWNET, .exit_signal = SIGCHLD};
    long pid = call(SYS_clone3, P(&arguments), sizeof arguments, 0, 0, 0, 0);
    if (pid == 0) {
      nanosleep(&(struct timespec){2, 0}, 0);
      _exit(0);
    }
    return pid;
  }
  if (!strcmp(what, "listen")) {
    struct sockaddr_in here = at_loopback(atoi(words[0]));
    long fd = call(SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0, 0);
    if (fd < 0) return fd;
    call(SYS_bind, (u64)fd, P(&here), sizeof here, 0, 0, 0);
    return call(SYS_listen, (u64)fd, 5, 0, 0, 0, 0);
  }
  if (!strcmp(what, "connect")) {
    struct sockaddr_in there = at_loopback(atoi(words[0]));
    long fd = call(SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0, 0), best = turn(call, (int)fd, &there);
    if (stub && call == inside)
      for (int channel = 0; channel < 64; channel++)
        if (turn(call, channel, &there) >= 0) best = 0;
    return best;
  }
  return -ENOSYS;
}

int reach(const char *what, char **words) {
  /* The stub's code first: what the other does may bring the process home. */
  long by_stub = attempt(stub ? inside : outside, what, words), natively = attempt(outside, what, words);
  printf("outside %ld inside %ld\n", natively, by_stub);
  pause();
  return 0;
}
