// A string of 128 KiB or more, and arguments of more than a quarter of the stack's limit, are E2BIG; less than that is not.
// home: execve
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  if (lab_argc > 1) _exit(lab_argc > 60 ? 12 : strlen(lab_argv[1]) == 131071 ? 11 : 1);
  static char text[131073];
  char *words[140] = {"x", text, NULL};
  memset(text, 'y', 131072);
  DO(execv("/proc/self/exe", words));
  text[131071] = 0;
  pid_t child = FORK();
  if (child == 0) {
    lab_point("in the child");
    execv("/proc/self/exe", words);
    _exit(1);
  }
  SAY("one less: %d", ended(child));
  for (int i = 1; i < 70; ++i) words[i] = text;
  DO(execv("/proc/self/exe", words));
  struct rlimit limit = {48 << 20, RLIM_INFINITY};
  DO(setrlimit(RLIMIT_STACK, &limit));
  for (int i = 1; i < 47; ++i) words[i] = text;
  for (int i = 47; i < 70; ++i) words[i] = "z";
  words[70] = NULL;
  child = FORK();
  if (child == 0) {
    lab_point("in the child");
    execv("/proc/self/exe", words);
    _exit(errno == E2BIG ? 2 : 1);
  }
  SAY("5.7 MiB: %d", ended(child));
}
