// A clone3 with CLONE_CLEAR_SIGHAND gives the child default actions for what its parent handles; what is ignored stays so.
#include "../../lab.h"
#include <linux/sched.h>

static void handler(int signal) { _exit(signal); }

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler}, now;
  sigaction(SIGUSR1, &action, NULL);
  signal(SIGUSR2, SIG_IGN);
  struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
  lab_point("clone3");
  const pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (child == 0) {
    sigaction(SIGUSR1, NULL, &now);
    SAY("USR1 default %d", now.sa_handler == SIG_DFL);
    sigaction(SIGUSR2, NULL, &now);
    SAY("USR2 ignored %d", now.sa_handler == SIG_IGN);
    AT(raise(SIGUSR2));
    AT(raise(SIGUSR1));
    _exit(0);
  }
  SAY("child %d", ended(child));
  DO(sigaction(SIGUSR1, NULL, &now));
  SAY("USR1 ours %d", now.sa_handler == handler);
}
