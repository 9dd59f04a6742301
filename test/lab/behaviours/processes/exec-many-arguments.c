// A program is given a hundred thousand arguments and as many variables, in order.
// home: execve
#include "../../lab.h"

BEHAVIOUR {
  enum { many = 90000 };
  if (lab_argc > 1) {
    extern char **environ;
    int variables = 0;
    while (environ[variables]) ++variables;
    _exit(lab_argc == many + 1 && !strcmp(lab_argv[many], "89999") && !strcmp(lab_argv[7], "7") && variables == 1000 ? 13 : 1);
  }
  char **words = calloc(many + 2, sizeof *words), **variables = calloc(1001, sizeof *variables);
  words[0] = "x";
  for (int i = 1; i <= many; ++i)
    if (asprintf(&words[i], "%d", i == many ? 89999 : i) < 0) abort();
  for (int i = 0; i < 1000; ++i) variables[i] = "A=b";
  const pid_t child = FORK();
  if (child == 0) {
    lab_point("in the child");
    execve("/proc/self/exe", words, variables);
    _exit(errno == E2BIG ? 2 : 1);
  }
  SAY("child %d", ended(child));
}
