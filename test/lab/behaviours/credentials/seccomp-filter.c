// A filter of the program's own makes calls fail, or raises SIGSYS with what was called, or ends the program.
// home: seccomp, prctl
// refused: seccomp
#include "../../lab.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static volatile sig_atomic_t number, code;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal;
  number = info->si_syscall;
  code = info->si_code;
  ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 777;
}

BEHAVIOUR {
  struct sock_filter code_of[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sync, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code_of / sizeof *code_of, code_of};
  sigaction(SIGSYS, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, NULL);
  DO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  const pid_t child = FORK();
  if (child == 0) {
    DO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
    DO(syscall(SYS_getppid));
    DO(syscall(SYS_sync));
    SAY("%d %d", number == SYS_sync, code);
    DO(prctl(PR_GET_SECCOMP));
    syscall(SYS_getsid, 0);
    _exit(1);
  }
  SAY("child %d", ended(child));
  DO(syscall(SYS_seccomp, 99, 0, NULL));
  DO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 8));
}
