// posix_spawn tells its caller what was wrong with the program, and leaves no child.
#include "../../lab.h"
#include <spawn.h>

extern char **environ;

BEHAVIOUR {
  char *words[] = {"x", NULL};
  pid_t child = -3;
  GIVES(posix_spawn(&child, "/nowhere", NULL, NULL, words, environ));
  GIVES(posix_spawnp(&child, "no-such-command-anywhere", NULL, NULL, words, environ));
  GIVES(posix_spawn(&child, "/etc/passwd", NULL, NULL, words, environ));
  GIVES(posix_spawn(&child, "/", NULL, NULL, words, environ));
  SAY("child %d", child);
  DO(waitpid(-1, NULL, WNOHANG));
}
