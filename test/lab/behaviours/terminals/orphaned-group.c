// A stopped group that becomes orphaned gets SIGHUP and SIGCONT; one that is orphaned is not stopped by its terminal, but reads EIO.
#include "../../lab.h"
#include <sys/prctl.h>

BEHAVIOUR {
  int told[2];
  DO(pipe(told));
  DO(prctl(PR_SET_CHILD_SUBREAPER, 1));
  const pid_t middle = FORK();
  if (middle == 0) {
    setsid();
    const pid_t job = fork();
    if (job == 0) {
      setpgid(0, 0);
      raise(SIGSTOP);
      for (;;) pause();
    }
    setpgid(job, job);
    int status;
    waitpid(job, &status, WUNTRACED);
    if (write(told[1], &job, sizeof job) != sizeof job) abort();
    lab_point("the parent's end");
    _exit(WIFSTOPPED(status) ? 3 : 4);
  }
  pid_t job = 0;
  DO(read(told[0], &job, sizeof job));
  SAY("middle %d", ended(middle));
  SAY("job %d", ended(job));
  const pid_t orphaned = FORK();
  if (orphaned == 0) {
    setsid();
    raise(SIGTSTP);
    raise(SIGTTIN);
    _exit(9);
  }
  SAY("orphaned %d", ended(orphaned));
}
