// A parent traces a child: it reads its words and registers, steps it, and lets it go.
// home: ptrace
// refused: traced
#include "../../lab.h"
#include <sys/ptrace.h>
#include <sys/user.h>

static volatile long word = 4711;

BEHAVIOUR {
  int status;
  const pid_t child = FORK();
  if (child == 0) {
    word = 815;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) _exit(1);
    raise(SIGSTOP);
    _exit(word == 42 ? 9 : 10);
  }
  TRY(waitpid(child, &status, 0));
  SAY("stopped %d", WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  DO(ptrace(PTRACE_PEEKDATA, child, (void *)&word, NULL));
  DO(ptrace(PTRACE_POKEDATA, child, (void *)&word, (void *)42));
  struct user_regs_struct regs;
  DO(ptrace(PTRACE_GETREGS, child, NULL, &regs));
  DO(ptrace(PTRACE_PEEKDATA, child, (void *)8, NULL));
  DO(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL));
  TRY(waitpid(child, &status, 0));
  SAY("stepped %d", WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
  DO(ptrace(PTRACE_DETACH, child, NULL, NULL));
  SAY("child %d", ended(child));
  DO(ptrace(PTRACE_ATTACH, 0x7ffffff0, NULL, NULL));
  DO(ptrace(PTRACE_ATTACH, getpid(), NULL, NULL));
}
