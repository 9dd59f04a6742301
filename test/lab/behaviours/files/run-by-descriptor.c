// A program can be run by a descriptor of it.
// home: fork, execve, execveat
#include "../../lab.h"

BEHAVIOUR {
  if (lab_argc > 1) _exit(lab_argv[1][0] - '0');
  const int fd = DO(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  char *words[] = {lab_argv[0], "7", NULL}, *none[] = {NULL};
  const pid_t child = FORK();
  if (!child) {
    lab_point("fexecve");
    fexecve(fd, words, none);
    _exit(99);
  }
  SAY("child %d", ended(child));
  words[1] = "5";
  const pid_t second = FORK();
  if (!second) {
    lab_point("execveat");
    syscall(SYS_execveat, fd, "", words, none, AT_EMPTY_PATH);
    _exit(99);
  }
  SAY("child %d", ended(second));
  DO(syscall(SYS_execveat, fd, "", words, none, 0));
  DO(execv("missing", words));
  DO(execv(".", words));
  DO(close(open("text", O_CREAT | O_WRONLY, 0700)));
  DO(execve("text", words, none));
  DO(chmod("text", 0600));
  DO(execve("text", words, none));
}
