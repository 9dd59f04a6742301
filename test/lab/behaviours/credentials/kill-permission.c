// A program may signal processes of its own user, and no others; looking whether it may is the same.
#include "../../lab.h"

static pid_t one(uid_t real, uid_t saved) {
  int ends[2];
  char none;
  if (pipe(ends)) abort();
  const pid_t child = fork();
  if (child == 0) {
    if (setresuid(real, real, saved) || write(ends[1], "x", 1) != 1) abort();
    for (;;) pause();
  }
  if (read(ends[0], &none, 1) != 1) abort();
  return child;
}

BEHAVIOUR {
  const pid_t root = one(0, 0), same = one(1001, 1001), saved = one(1002, 1001), other = one(1002, 1002), mine = getpid();
  const pid_t child = FORK();
  if (child == 0) {
    if (setresuid(1001, 1001, 1001)) abort();
    DO(kill(root, SIGTERM));
    DO(kill(mine, 0));
    DO(kill(same, SIGUSR1));
    DO(kill(saved, SIGUSR1));
    DO(kill(other, 0));
    DO(kill(-getpgrp(), 0));
    DO(sigqueue(root, 0, (union sigval){0}));
    DO(kill(-1, 0));
    _exit(0);
  }
  SAY("child %d same %d", ended(child), ended(same));
  TRY(waitpid(saved, NULL, WNOHANG));
  kill(saved, SIGKILL), kill(root, SIGKILL), kill(other, SIGKILL);
  SAY("%d %d", ended(root), ended(other));
}
