// /proc/self/cmdline, environ, comm and auxv say how the program was started.
// home: open, openat
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

static char room[8192];
static long take(const char *name) {
  const int fd = open(name, O_RDONLY);
  const ssize_t n = read(fd, room, sizeof room - 1);
  close(fd);
  room[n > 0 ? n : 0] = 0;
  return n;
}

BEHAVIOUR {
  DO(take("/proc/self/cmdline") == (long)strlen(lab_argv[0]) + 1 && !strcmp(room, lab_argv[0]));
  long n = 0;
  AT(n = take("/proc/self/environ"));
  SAY("%d", memmem(room, (size_t)n, "LANG=C.UTF-8", 13) != NULL);
  DO(prctl(PR_SET_NAME, "other name"));
  DO(take("/proc/self/comm"));
  SAY("%s", room);
  AT(n = take("/proc/self/auxv"));
  int found = 0;
  for (Elf64_auxv_t *a = (Elf64_auxv_t *)room; (char *)a < room + n && a->a_type; ++a)
    found += (a->a_type == AT_PHDR || a->a_type == AT_PAGESZ || a->a_type == AT_RANDOM || a->a_type == AT_ENTRY) && a->a_un.a_val == getauxval(a->a_type);
  SAY("%d found", found);
  memset(lab_argv[0], 'z', 3);
  AT(take("/proc/self/cmdline"));
  SAY("%.3s", room);
  const int fd = DO(open("/proc/self/comm", O_WRONLY));
  DO(write(fd, "third", 5));
  AT(prctl(PR_GET_NAME, room));
  SAY("%s", room);
}
