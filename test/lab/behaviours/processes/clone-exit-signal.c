// A child without the exit signal SIGCHLD is waited for with __WCLONE or __WALL alone, and its end sends the signal it was made with, or none.
#include "../../lab.h"
#include <sched.h>

static volatile sig_atomic_t usr, chld;
static void on_usr(int signal) { (void)signal; ++usr; }
static void on_chld(int signal) { (void)signal; ++chld; }

BEHAVIOUR {
  signal(SIGUSR1, on_usr);
  signal(SIGCHLD, on_chld);
  const int signals[] = {SIGUSR1, 0, SIGCHLD};
  for (int i = 0; i < 3; ++i) {
    usr = chld = 0;
    lab_point("clone");
    const pid_t child = (pid_t)syscall(SYS_clone, (unsigned long)signals[i], 0, 0, 0, 0);
    if (child == 0) _exit(11 + i);
    siginfo_t info = {0};
    DO(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | __WALL));
    int status = 0;
    SAY("usr %d chld %d status %d", usr, chld, info.si_status);
    TRY(waitpid(child, &status, WNOHANG));
    TRY(waitpid(child, &status, WNOHANG | __WCLONE));
    TRY(waitpid(child, &status, WNOHANG | __WALL));
    SAY("status %d", WEXITSTATUS(status));
  }
}
