// fork, vfork, posix_spawn, execve, pipes between them, process groups, ids, limits, threads that start processes, and their ends.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static int status_of(pid_t child) {
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void relatives(void) {
  const pid_t self = getpid();
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const pid_t said[3] = {getpid(), getppid(), (pid_t)syscall(SYS_gettid)};
    _exit(write(ends[1], said, sizeof said) != sizeof said);
  }
  pid_t said[3] = {0, 0, 0};
  CHECK(read(ends[0], said, sizeof said) == sizeof said);
  CHECK(said[0] == child && said[1] == self && said[2] == child);
  CHECK(status_of(child) == 0);
  CHECK(kill(child, 0) == -1 && errno == ESRCH);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  close(ends[0]);
  close(ends[1]);
}

// A line of children, each the parent of the next; the sum comes back as exit statuses.
static int line(int depth) {
  if (depth == 0) return 0;
  const pid_t child = fork();
  if (child == 0) _exit(line(depth - 1));
  return status_of(child) + 1;
}

static void programs(void) {
  static volatile int touched;
  touched = 0;
  const pid_t quick = vfork();
  if (quick == 0) {
    touched = 1;
    execl("/absent/program", "program", (char *)NULL);
    _exit(errno == ENOENT ? 44 : 45);
  }
  CHECK(status_of(quick) == 44 && touched == 1);
  // Long enough to be found while it uses its parent's memory: wherever either goes, it is one memory until the child ends.
  const pid_t slow = vfork();
  if (slow == 0) {
    usleep(40000);
    touched = 2;
    _exit(46);
  }
  CHECK(touched == 2 && status_of(slow) == 46);
  pid_t child;
  char *good[] = {"sh", "-c", "exit $0", "17", NULL};
  CHECK(posix_spawnp(&child, "sh", NULL, NULL, good, environ) == 0 && status_of(child) == 17);
  CHECK(posix_spawn(&child, "/absent", NULL, NULL, good, environ) == ENOENT);
  posix_spawn_file_actions_t actions;
  int ends[2];
  char text[16] = "";
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  char *echo[] = {"echo", "spawned", NULL};
  CHECK(posix_spawnp(&child, "echo", &actions, NULL, echo, environ) == 0);
  close(ends[1]);
  CHECK(read(ends[0], text, sizeof text) == 8 && strcmp(text, "spawned\n") == 0);
  CHECK(status_of(child) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[0]);
  CHECK(WEXITSTATUS(system("exit 5")) == 5);
  FILE *pipe = popen("printf 'from %s' popen", "r");
  CHECK(pipe != NULL && fgets(text, sizeof text, pipe) != NULL && strcmp(text, "from popen") == 0);
  CHECK(pclose(pipe) == 0);
}

static void groups_and_limits(void) {
  const pid_t child = fork();
  if (child == 0) {
    if (setpgid(0, 0) != 0 || getpgrp() != getpid()) _exit(1);
    if (setsid() != -1) _exit(2);  // a group leader may not
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(setsid() == getpid() && getsid(0) == getpid() ? 0 : 3);
    int status;
    waitpid(grandchild, &status, 0);
    _exit(WEXITSTATUS(status));
  }
  CHECK(status_of(child) == 0);
  struct rlimit files, changed;
  CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
  changed = files;
  changed.rlim_cur = 100;
  CHECK(setrlimit(RLIMIT_NOFILE, &changed) == 0);
  CHECK(dup2(0, 150) == -1 && errno == EBADF);
  CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
  const int high = fcntl(0, F_DUPFD, 200);
  CHECK(high >= 200);
  close(high);
  int many[40];
  for (int i = 0; i < 40; ++i) CHECK((many[i] = open("/dev/null", O_RDONLY)) >= 0);
  for (int i = 1; i < 40; ++i) CHECK(many[i] > many[i - 1]);
  CHECK(close_range((unsigned)many[0], (unsigned)many[39], 0) == 0);
  CHECK(fcntl(many[20], F_GETFD) == -1 && errno == EBADF);
  // Closing all it can see must not cut a program off.
  const pid_t closer = fork();
  if (closer == 0) {
    close_range(3, ~0U, 0);
    _exit(open("/dev/null", O_RDONLY) == 3 ? 0 : 1);
  }
  CHECK(status_of(closer) == 0);
}

static void *run_child(void *argument) {
  (void)argument;
  char *words[] = {"true", NULL};
  for (int i = 0; i < 3; ++i) {
    pid_t child;
    if (posix_spawnp(&child, "true", NULL, NULL, words, environ) != 0) return (void *)1;
    int status = -1;
    while (waitpid(child, &status, 0) == -1 && errno == EINTR) continue;
    if (status != 0) return (void *)2;
  }
  return NULL;
}

static void *be_brief(void *argument) { return argument; }

static void threads(void) {
  pthread_t all[4];
  void *result;
  for (int i = 0; i < 4; ++i) CHECK(pthread_create(&all[i], NULL, run_child, NULL) == 0);
  for (int i = 0; i < 4; ++i) CHECK(pthread_join(all[i], &result) == 0 && result == NULL);
  for (long i = 0; i < 20; ++i) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, be_brief, (void *)i) == 0);
    CHECK(pthread_join(thread, &result) == 0 && result == (void *)i);
  }
}

static void *outlive(void *argument) {
  (void)argument;
  usleep(20000);
  exit(31);
}

// The first thread ends before the others; exec from a thread that is not the first.
static void *become(void *argument) {
  (void)argument;
  execl("/bin/sh", "sh", "-c", "exit 32", (char *)NULL);
  _exit(1);
}

static void ends(void) {
  pthread_t thread;
  pid_t child = fork();
  if (child == 0) {
    pthread_create(&thread, NULL, outlive, NULL);
    pthread_exit(NULL);
  }
  CHECK(status_of(child) == 31);
  child = fork();
  if (child == 0) {
    pthread_create(&thread, NULL, become, NULL);
    for (;;) pause();
  }
  CHECK(status_of(child) == 32);
  struct rusage usage;
  CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
  cpu_set_t set;
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0);
}

int main(int argc, char **argv) {
  const double end = now() + (argc > 1 ? atof(argv[1]) : 0);
  do {
    relatives();
    CHECK(line(4) == 4);
    programs();
    groups_and_limits();
    threads();
    ends();
  } while (now() < end);
  return finish();
}
