// With CLONE_CLEAR_SIGHAND the child has no handlers: what was caught is as at first, what was ignored stays ignored.
#include "../../lab.h"
#include <linux/sched.h>

static void handler(int signal) { (void)signal; }

BEHAVIOUR {
  signal(SIGUSR1, handler);
  signal(SIGUSR2, SIG_IGN);
  for (int turn = 0; turn < 2; ++turn) {
    struct clone_args args = {.flags = turn ? CLONE_CLEAR_SIGHAND : 0, .exit_signal = SIGCHLD};
    lab_point("clone3");
    const pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child == 0) {
      struct sigaction now;
      sigaction(SIGUSR1, NULL, &now);
      const int kept = now.sa_handler == handler;
      sigaction(SIGUSR2, NULL, &now);
      raise(SIGUSR1);
      _exit(kept + 2 * (now.sa_handler == SIG_IGN));
    }
    SAY("child %d", ended(child));
  }
}
