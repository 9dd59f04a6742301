// What a behaviour of the laboratory is made of: see docs/laboratory.md. A behaviour says what it sees, on standard output; the laboratory moves it
// at the calls that are marked, and compares what it said with what it says when it is not moved.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

UNUSED static int lab_argc;
UNUSED static char **lab_argv;
UNUSED static int lab_failures;
static int lab_control = -1;
static pid_t lab_owner;
static pthread_mutex_t lab_mutex = PTHREAD_MUTEX_INITIALIZER;
UNUSED static atomic_int lab_points;                  // that this process has passed
UNUSED static int lab_go = -1;                        // to tell a child that the next is passed

// ---- Points: where the laboratory may move the process ----

static void lab_connect(void) {
  const char *path = getenv("LAB_CONTROL");
  lab_owner = getpid();
  lab_control = -1;
  if (!path) return;
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  strncpy(to.sun_path, path, sizeof to.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  int connected;
  while ((connected = connect(fd, (struct sockaddr *)&to, sizeof to)) < 0 && (errno == EINTR || errno == EAGAIN)) usleep(1000);
  // Out of the way of the program's own descriptors.
  if (connected == 0) lab_control = fcntl(fd, F_DUPFD_CLOEXEC, 900);
  close(fd);
}

// The process may be moved here, and in the call that follows. What is between two points, apart from that, is not looked at.
UNUSED static void lab_point(const char *what) {
  const int kept = errno;
  const bool threads = lab_owner == getpid();
  if (!threads) pthread_mutex_init(&lab_mutex, NULL), lab_connect();   // a child: with a lock and a connection of its own
  else pthread_mutex_lock(&lab_mutex);
  char text[200];
  const int length = snprintf(text, sizeof text, "%d %.150s\n", getpid(), what);
  for (int tries = 0; tries < 2 && getenv("LAB_CONTROL"); ++tries) {
    if (lab_control >= 0 && send(lab_control, text, (size_t)length, MSG_NOSIGNAL) == length) {
      char answer;
      ssize_t got;
      while ((got = recv(lab_control, &answer, 1, 0)) < 0 && errno == EINTR) continue;
      if (got == 1) break;
    }
    lab_connect();                                    // it has closed it with others
  }
  ++lab_points;
  if (lab_go >= 0) close(lab_go), lab_go = -1;
  if (threads) pthread_mutex_unlock(&lab_mutex);
  errno = kept;
}

// ---- What is said ----

__attribute__((format(printf, 1, 2))) UNUSED static void SAY(const char *format, ...) {
  const int kept = errno;
  char line[4096];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line - 1, format, list);
  va_end(list);
  if (length > (int)sizeof line - 2) length = sizeof line - 2;
  line[length++] = '\n';
  for (int done = 0; done < length;) {
    const ssize_t n = write(1, line + done, (size_t)(length - done));
    if (n > 0) done += (int)n;
    else if (errno != EINTR && errno != EAGAIN) break;
  }
  errno = kept;
}

UNUSED static const char *lab_error(int error) {
  const char *name = strerrorname_np(error);
  return name ? name : "?";
}

// A point, then the call; its result and errno are said. Gives the result.
#define DO(call)                                                                                       \
  ({                                                                                                   \
    lab_point(#call);                                                                                  \
    errno = 0;                                                                                         \
    const __typeof__(call) lab_result = (call);                                                        \
    const int lab_errno = errno;                                                                       \
    if ((long)lab_result == -1) SAY("%s = -1 %s", #call, lab_error(lab_errno));                        \
    else SAY("%s = %ld", #call, (long)lab_result);                                                     \
    errno = lab_errno;                                                                                 \
    lab_result;                                                                                        \
  })

// The same for a result that differs from run to run (a pid, an address, a time): only whether it succeeded is said.
#define TRY(call)                                                                                      \
  ({                                                                                                   \
    lab_point(#call);                                                                                  \
    errno = 0;                                                                                         \
    const __typeof__(call) lab_result = (call);                                                        \
    const int lab_errno = errno;                                                                       \
    SAY("%s: %s", #call, (long)lab_result == -1 ? lab_error(lab_errno) : "done");                      \
    errno = lab_errno;                                                                                 \
    lab_result;                                                                                        \
  })

// The same for functions that give their error instead of setting errno (pthread_*, posix_*).
#define GIVES(call)                                                                                    \
  ({                                                                                                   \
    lab_point(#call);                                                                                  \
    const int lab_result = (call);                                                                     \
    SAY("%s gives %s", #call, lab_result ? lab_error(lab_result) : "0");                               \
    lab_result;                                                                                        \
  })

// A point, then the statement or call, of which nothing is said.
#define AT(...)             \
  do {                      \
    lab_point(#__VA_ARGS__);\
    __VA_ARGS__;            \
  } while (0)

// A point, then fork(2), of which nothing is said: it would be said twice.
#define FORK()            \
  ({                      \
    lab_point("fork()");  \
    fork();               \
  })

// Something that must hold everywhere; the behaviour has failed where it does not, with or without moves.
#define HOLDS(condition)                                                                               \
  do {                                                                                                 \
    if (condition) SAY("holds: %s", #condition);                                                       \
    else SAY("DOES NOT HOLD, line %d: %s (%s)", __LINE__, #condition, lab_error(errno)), ++lab_failures; \
  } while (0)

// ---- Time ----

UNUSED static double seconds_now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// The statement takes at least so long, and not much more: a busy machine, and a move, get their share.
#define LASTS(seconds, ...)                                                                            \
  do {                                                                                                 \
    const double lab_from = seconds_now(CLOCK_MONOTONIC);                                              \
    __VA_ARGS__;                                                                                       \
    const double lab_took = seconds_now(CLOCK_MONOTONIC) - lab_from;                                   \
    if (lab_took < (seconds)-1e-5) SAY("TOO SHORT, line %d: %.6f s", __LINE__, lab_took), ++lab_failures; \
    else if (lab_took > (seconds) + 2) SAY("TOO LONG, line %d: %.3f s", __LINE__, lab_took), ++lab_failures; \
    else SAY("it lasted as long as it should");                                                        \
  } while (0)

UNUSED static void sleep_ms(long ms) {
  struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&rest, &rest) < 0 && errno == EINTR) continue;
}

// ---- Somebody who does something meanwhile ----

struct lab_later {
  long ms;
  void (*act)(void);
  int points;
};

UNUSED static void *lab_wait_and_act(void *argument) {
  struct lab_later later = *(struct lab_later *)argument;
  free(argument);
  while (lab_points == later.points) sleep_ms(1);
  sleep_ms(later.ms);
  later.act();
  return NULL;
}

// Another thread does it so many milliseconds after the next point is passed, with all signals blocked. To be joined.
UNUSED static pthread_t later(long ms, void (*act)(void)) {
  struct lab_later *argument = malloc(sizeof *argument);
  *argument = (struct lab_later){ms, act, lab_points};
  pthread_t thread;
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  if (pthread_create(&thread, NULL, lab_wait_and_act, argument)) abort();
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return thread;
}

// A child does it, that long after the next point. To be waited for with `ended`.
UNUSED static pid_t child_later(long ms, void (*act)(void)) {
  int low[2], go[2];
  if (pipe(low)) abort();
  for (int i = 0; i < 2; ++i) go[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 900), close(low[i]);
  const pid_t child = fork();
  if (child) return close(go[0]), lab_go = go[1], child;
  close(go[1]);
  char none;
  while (read(go[0], &none, 1) < 0 && errno == EINTR) continue;
  close(go[0]);
  sleep_ms(ms);
  act();
  _exit(0);
}

// What became of a child: its exit status, or minus the signal that ended it.
UNUSED static int ended(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1000;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// ---- The program ----

static void behaviour(void);

int main(int argc, char **argv) {
  lab_argc = argc;
  lab_argv = argv;
  lab_connect();
  behaviour();
  lab_point("the end");
  return lab_failures != 0;
}

#define BEHAVIOUR static void behaviour(void)
