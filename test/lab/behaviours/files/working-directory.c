// The working directory is the process's: threads share it, children take it along, and getcwd says where it is.
// home: fork
#include "../../lab.h"

static void go_down(void) { if (chdir("b")) abort(); }

BEHAVIOUR {
  char top[4096] = "", text[4096] = "";
  DO(getcwd(top, sizeof top) == top);
  DO(mkdir("a", 0700));
  DO(mkdir("a/b", 0700));
  DO(chdir("a"));
  pthread_t other = later(0, go_down);
  AT(pthread_join(other, NULL));
  DO(getcwd(text, sizeof text) == text);
  SAY("%s", text + strlen(top));
  const pid_t child = FORK();
  if (!child) _exit(access("../../a/b", F_OK) || chdir("..") ? 1 : 5);
  SAY("child %d", ended(child));
  const int up = DO(open("..", O_PATH));
  DO(fchdir(up));
  DO(strcmp(getcwd(text, sizeof text) + strlen(top), "/a"));
  DO(getcwd(text, 3) == NULL);
  DO(syscall(SYS_getcwd, text, 0));
  DO(chdir("missing"));
  DO(chdir(""));
  DO(fchdir(-1));
  const int file = DO(open("file", O_CREAT | O_RDONLY, 0600));
  DO(fchdir(file));
  DO(chdir("file"));
}
