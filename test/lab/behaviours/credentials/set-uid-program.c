// A set-uid program gets its file's owner as effective and saved user, unless no_new_privs is set; it is told so by AT_SECURE.
#include "../../lab.h"
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>

static void run(bool none_new) {
  lab_point("fork");
  const pid_t child = fork();
  if (child == 0) {
    if (none_new) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (setresgid(1001, 1001, 1001) || setresuid(1001, 1001, 1001)) abort();
    lab_point("in the child");
    execl("./copy", "copy", "x", NULL);
    _exit(1);
  }
  SAY("child %d", ended(child));
}

BEHAVIOUR {
  if (lab_argc > 1) {
    uid_t r, e, s;
    getresuid(&r, &e, &s);
    SAY("%d %d %d, group %d, secure %lu", r, e, s, getegid(), getauxval(AT_SECURE));
    DO(prctl(PR_GET_DUMPABLE) == 1);
    DO(setresuid(-1, 1001, -1));
    DO(seteuid(1002));
    return;
  }
  const int self = open("/proc/self/exe", O_RDONLY), copy = open("copy", O_WRONLY | O_CREAT, 0755);
  struct stat about;
  fstat(self, &about);
  for (off_t done = 0; done < about.st_size;)
    if (sendfile(copy, self, &done, (size_t)(about.st_size - done)) <= 0) abort();
  DO(fchown(copy, 1002, 1003));
  DO(fchmod(copy, 06755));
  DO(close(copy));
  DO(chmod(".", 0755));
  run(false);
  run(true);
}
