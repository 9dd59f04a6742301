// Flags and commands that the kernel does not know are EINVAL, and the descriptor's number comes first.
// home: fcntl
#include "../../lab.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

BEHAVIOUR {
  sigset_t none;
  sigemptyset(&none);
  DO(pipe2((int[2]){0}, 0x10));
  DO(eventfd(0, 0x10));
  DO(epoll_create1(1));
  DO(epoll_create(0));
  DO(inotify_init1(1));
  DO(timerfd_create(77, 0));
  DO(timerfd_create(0, 1));
  DO(signalfd(-1, &none, 1));
  DO(signalfd(0, &none, 0));
  DO(fcntl(0, 9999));
  DO(fcntl(-1, 9999));
  DO(faccessat(AT_FDCWD, ".", 8, 0));
  DO(syscall(SYS_faccessat2, AT_FDCWD, ".", 0, 0x8000));
  DO(access(".", 9));
  DO(unlinkat(AT_FDCWD, "missing", 1));
  DO(memfd_create("x", 0x100));
  DO(syscall(SYS_close_range, 10, 5, 0));
  DO(syscall(SYS_close_range, 10, 20, 0x10));
  DO(syscall(SYS_getrandom, NULL, 0, 8));
  DO(syscall(SYS_membarrier, 0x100000, 0, 0));
  DO(syscall(SYS_name_to_handle_at, AT_FDCWD, ".", NULL, NULL, 0x8000));
}
