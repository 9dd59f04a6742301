// posix_spawn sets the mask and the defaults it is told, for the new program alone.
#include "../../lab.h"
#include <spawn.h>

static void handler(int signal) { (void)signal; }
extern char **environ;

BEHAVIOUR {
  sigset_t set;
  struct sigaction now;
  if (lab_argc == 2) {
    sigprocmask(SIG_BLOCK, NULL, &set);
    SAY("blocked HUP %d USR1 %d TERM %d", sigismember(&set, SIGHUP), sigismember(&set, SIGUSR1), sigismember(&set, SIGTERM));
    const int all[] = {SIGINT, SIGQUIT, SIGUSR2};
    for (int i = 0; i < 3; ++i) sigaction(all[i], NULL, &now), SAY("%d: ignored %d default %d", all[i], now.sa_handler == SIG_IGN, now.sa_handler == SIG_DFL);
    return;
  }
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  signal(SIGUSR2, handler);
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigemptyset(&set);
  sigaddset(&set, SIGQUIT);
  posix_spawnattr_setsigdefault(&attributes, &set);
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  posix_spawnattr_setsigmask(&attributes, &set);
  char *words[] = {lab_argv[0], (char *)"child", NULL};
  pid_t child = -1;
  lab_point("posix_spawn");
  const int error = posix_spawn(&child, "/proc/self/exe", NULL, &attributes, words, environ);
  SAY("child %d error %d", ended(child), error);
  GIVES(posix_spawn(&child, "/nowhere", NULL, &attributes, words, environ));
  sigprocmask(SIG_BLOCK, NULL, &set);
  SAY("blocked HUP %d TERM %d", sigismember(&set, SIGHUP), sigismember(&set, SIGTERM));
  sigaction(SIGUSR2, NULL, &now);
  SAY("USR2 ours %d", now.sa_handler == handler);
}
