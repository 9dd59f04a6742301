// An exec names the process after the file, and makes it dumpable again; the name is what prctl gives.
#include "../../lab.h"
#include <sys/prctl.h>

BEHAVIOUR {
  char name[17] = "";
  if (lab_argc > 1) {
    DO(prctl(PR_GET_NAME, name));
    SAY("%s", name);
    DO(prctl(PR_GET_DUMPABLE));
    DO(prctl(PR_GET_KEEPCAPS));
    DO(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    return;
  }
  DO(prctl(PR_SET_NAME, "a name much too long"));
  DO(prctl(PR_GET_NAME, name));
  SAY("%s", name);
  DO(prctl(PR_SET_DUMPABLE, 0));
  DO(prctl(PR_GET_DUMPABLE));
  DO(prctl(PR_SET_KEEPCAPS, 1));
  DO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  DO(prctl(PR_SET_NAME, 8));
  DO(symlink("/proc/self/exe", "a-link"));
  lab_point("exec");
  execl("a-link", "again", "x", NULL);
}
