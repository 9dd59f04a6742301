// /proc/self/exe, cwd and root name what is; /proc/self is the process, thread-self the thread.
#include "../../lab.h"
#include <limits.h>

BEHAVIOUR {
  char name[PATH_MAX] = "", other[PATH_MAX] = "";
  struct stat one, two;
  AT(readlink("/proc/self/exe", name, sizeof name - 1));
  SAY("%s", strrchr(name, '/'));
  DO(stat("/proc/self/exe", &one));
  DO(stat(name, &two));
  DO(one.st_ino == two.st_ino);
  DO(getcwd(other, sizeof other) == other);
  memset(name, 0, sizeof name);
  AT(readlink("/proc/self/cwd", name, sizeof name - 1));
  DO(strcmp(name, other));
  memset(name, 0, sizeof name);
  AT(readlink("/proc/self/root", name, sizeof name - 1));
  SAY("%s", name);
  memset(name, 0, sizeof name);
  AT(readlink("/proc/self", name, sizeof name - 1));
  DO(atoi(name) == getpid());
  memset(name, 0, sizeof name);
  AT(readlink("/proc/thread-self", name, sizeof name - 1));
  snprintf(other, sizeof other, "%d/task/%d", getpid(), (int)gettid());
  DO(strcmp(name, other));
  DO(access("/proc/self/task", X_OK));
  const int exe = DO(open("/proc/self/exe", O_RDONLY));
  DO(read(exe, name, 4));
  SAY("%.3s", name + 1);
  DO(open("/proc/self/exe", O_WRONLY));
}
