// Ignoring a signal drops those pending; SIGCHLD ignored, or SA_NOCLDWAIT, leaves no zombies, and SA_NOCLDSTOP tells of ends alone.
#include "../../lab.h"

static volatile sig_atomic_t count;
static void handler(int signal) { (void)signal, ++count; }

BEHAVIOUR {
  sigset_t set, now;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  DO(raise(SIGUSR1));
  signal(SIGUSR1, SIG_IGN);
  DO(sigpending(&now));
  SAY("pending %d", sigismember(&now, SIGUSR1));
  DO(raise(SIGUSR1));
  signal(SIGUSR1, handler);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  SAY("count %d", count);
  signal(SIGCHLD, SIG_IGN);
  if (FORK() == 0) _exit(3);
  int status = 99;
  DO(waitpid(-1, &status, 0));
  SAY("status %d", status);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NOCLDWAIT | SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  if (FORK() == 0) _exit(3);
  DO(waitpid(-1, &status, 0));
  SAY("count %d", count);
  action.sa_flags = SA_NOCLDSTOP | SA_RESTART;
  sigaction(SIGCHLD, &action, NULL);
  count = 0;
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  DO(kill(child, SIGSTOP));
  TRY(waitpid(child, &status, WUNTRACED));
  DO(kill(child, SIGCONT));
  TRY(waitpid(child, &status, WCONTINUED));
  SAY("count %d", count);
  DO(kill(child, SIGKILL));
  SAY("%d", ended(child));
  SAY("count %d", count);
}
