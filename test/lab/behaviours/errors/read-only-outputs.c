// A result cannot be stored in constant memory.
#include "../../lab.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

BEHAVIOUR {
  char *room = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int ends[2];
  DO(pipe(ends));
  DO(write(ends[1], "x", 1));
  *(struct pollfd *)room = (struct pollfd){ends[0], POLLIN, 0};
  DO(mprotect(room, 4096, PROT_READ));
  DO(read(ends[0], room, 1));
  DO(poll((struct pollfd *)room, 1, 0));
  DO(ioctl(ends[0], FIONREAD, room));
  DO(uname((struct utsname *)room));
  DO(syscall(SYS_getcwd, room, 4096));
  DO(syscall(SYS_pipe2, room, 0));
  DO(fstat(ends[0], (struct stat *)room));
  DO(statx(ends[0], "", AT_EMPTY_PATH, STATX_ALL, (struct statx *)room));
  DO(getgroups(0, (gid_t *)room) >= 0);
  DO(syscall(SYS_getresuid, room, room, room));
  DO(syscall(SYS_getrandom, room, 10, 0));
  DO(syscall(SYS_clock_gettime, CLOCK_REALTIME, room));
  int left = 0;
  DO(ioctl(ends[0], FIONREAD, &left));
  SAY("%d left", left);
  const int directory = DO(open("/", O_RDONLY));
  DO(syscall(SYS_getdents64, directory, room, 4096));
}
