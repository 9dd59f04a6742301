// system and popen run a shell, give its status, and block SIGCHLD and ignore SIGINT meanwhile.
#include "../../lab.h"

static volatile sig_atomic_t caught;
static void handler(int signal) { caught = signal; }

BEHAVIOUR {
  DO(system("exit 3"));
  DO(system("kill -TERM $$"));
  DO(system(NULL) != 0);
  signal(SIGINT, handler);
  DO(system("kill -INT $PPID; exit 1"));
  SAY("caught %d", caught);
  DO(raise(SIGINT));
  SAY("caught %d", caught == SIGINT);
  lab_point("popen");
  FILE *from = popen("echo one; sleep 0.1; echo two; exit 4", "r");
  char line[20];
  while (fgets(line, sizeof line, from)) SAY("read %.3s", line);
  DO(pclose(from));
  lab_point("popen to write");
  FILE *to = popen("cat > said; exit 1", "w");
  fputs("words", to);
  DO(pclose(to));
  DO(access("said", R_OK));
}
