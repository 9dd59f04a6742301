// posix_spawn opens, closes and duplicates descriptors and changes directory in the child, in the order of the list.
#include "../../lab.h"
#include <spawn.h>

extern char **environ;

BEHAVIOUR {
  DO(mkdir("there", 0755));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, "there");
  posix_spawn_file_actions_addopen(&actions, 9, "out", O_WRONLY | O_CREAT | O_TRUNC, 0640);
  posix_spawn_file_actions_adddup2(&actions, 9, 8);
  posix_spawn_file_actions_addclose(&actions, 9);
  char *words[] = {"sh", "-c", "echo written >&8; test -e /proc/self/fd/9 && exit 2; exit 3", NULL};
  pid_t child;
  GIVES(posix_spawn(&child, "/bin/sh", &actions, NULL, words, environ));
  SAY("child %d", ended(child));
  DO(access("there/out", F_OK));
  posix_spawn_file_actions_addclose(&actions, 600);
  posix_spawn_file_actions_addopen(&actions, 9, "/nowhere/out", O_WRONLY, 0);
  GIVES(posix_spawn(&child, "/bin/sh", &actions, NULL, words, environ));
  DO(waitpid(-1, NULL, WNOHANG));
  posix_spawn_file_actions_destroy(&actions);
}
