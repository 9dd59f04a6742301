// A child of vfork whose exec fails lives on in its parent's memory, which sees what it wrote, and why it failed.
#include "../../lab.h"

BEHAVIOUR {
  volatile int seen = 0;
  lab_point("vfork");
  pid_t child = vfork();
  if (child == 0) {
    char *words[] = {"nothing", NULL};
    execv("/nowhere/at/all", words);
    seen = errno;
    _exit(9);
  }
  SAY("its exec failed with %s; it ended with %d", lab_error(seen), ended(child));
  lab_point("vfork again");
  child = vfork();
  if (child == 0) {
    char *words[] = {"/bin/sh", "-c", "exit 5", NULL};
    seen = 77;
    execv("/bin/sh", words);
    _exit(9);
  }
  SAY("%d", seen);
  SAY("the program ended with %d", ended(child));
}
