// Stands in for other movers: again and again one that traces a thread for some milliseconds and ends.  rival TID TIMES
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const pid_t tid = atoi(argv[1]);
  prctl(PR_SET_NAME, "mosmove");
  int done = 0;
  for (int i = atoi(argv[2]); i > 0; --i, usleep(6000)) {
    const pid_t child = fork();
    int status = 1;
    if (!child) {
      const long failed = ptrace(PTRACE_SEIZE, tid, NULL, NULL);
      usleep(4000);
      _exit(failed != 0);
    }
    waitpid(child, &status, 0);
    done += !status;
  }
  printf("%d times\n", done);
}
