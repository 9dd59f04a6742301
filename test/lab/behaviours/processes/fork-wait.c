// A child's end is its parent's to learn: status, signal, and nothing after that.
#include "../../lab.h"

BEHAVIOUR {
  pid_t child = FORK();
  if (child == 0) {
    lab_point("in the child");
    _exit(37);
  }
  int status = 0;
  TRY(waitpid(child, &status, 0));
  HOLDS(WIFEXITED(status) && WEXITSTATUS(status) == 37);
  DO(waitpid(child, &status, 0));
  child = FORK();
  if (child == 0) for (;;) pause();
  DO(kill(child, SIGTERM));
  TRY(waitpid(child, &status, 0));
  SAY("signal %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}
