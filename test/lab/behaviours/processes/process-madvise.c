// process_madvise and process_vm_readv work on the caller's own memory as on another's, and stop at what is not there.
// home: process_madvise, process_vm_readv, process_vm_writev
#include "../../lab.h"
#include <sys/uio.h>

static char pages[8192] __attribute__((aligned(4096)));

BEHAVIOUR {
  strcpy(pages, "own");
  char text[10] = "";
  struct iovec here[] = {{text, 2}, {text + 5, 2}}, there[] = {{pages, 4}, {(void *)8, 8}};
  DO(process_vm_readv(getpid(), here, 2, there, 2, 0));
  SAY("%s %s", text, text + 5);
  DO(process_vm_readv(getpid(), here, 2, there + 1, 1, 0));
  DO(process_vm_readv(getpid(), here, 2, there, 1, 1));
  DO(process_vm_readv(0x7ffffff0, here, 2, there, 1, 0));
  strcpy(text, "new");
  DO(process_vm_writev(getpid(), here, 1, there, 1, 0));
  SAY("%s", pages);
  const int fd = (int)TRY(syscall(SYS_pidfd_open, getpid(), 0));
  there[0].iov_len = 4096;
  DO(syscall(SYS_process_madvise, fd, there, 1, MADV_COLD, 0));
  DO(syscall(SYS_process_madvise, fd, there, 2, MADV_COLD, 0));
  DO(syscall(SYS_process_madvise, fd, there, 1, MADV_COLD, 1));
  DO(syscall(SYS_process_madvise, 0, there, 1, MADV_COLD, 0));
  SAY("%s", pages);
}
