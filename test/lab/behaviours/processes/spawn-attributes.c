// posix_spawn gives the child a group, a mask, default dispositions and a session as its attributes say.
#include "../../lab.h"
#include <spawn.h>

extern char **environ;

BEHAVIOUR {
  if (lab_argc > 1) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    struct sigaction action;
    sigaction(SIGUSR2, NULL, &action);
    _exit((getpgrp() == getpid()) + 2 * sigismember(&now, SIGUSR1) + 4 * (action.sa_handler == SIG_IGN) + 8 * (getsid(0) == getpid()));
  }
  signal(SIGUSR2, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  char *words[] = {"again", "child", NULL};
  pid_t child;
  GIVES(posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ));
  SAY("plain %d", ended(child));
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigaddset(&set, SIGUSR1);
  posix_spawnattr_setsigmask(&attributes, &set);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  GIVES(posix_spawn(&child, "/proc/self/exe", NULL, &attributes, words, environ));
  SAY("group and mask %d", ended(child));
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
  GIVES(posix_spawn(&child, "/proc/self/exe", NULL, &attributes, words, environ));
  SAY("session and defaults %d", ended(child));
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 999999);
  GIVES(posix_spawn(&child, "/proc/self/exe", NULL, &attributes, words, environ));
}
