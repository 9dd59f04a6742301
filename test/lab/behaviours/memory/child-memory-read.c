// process_vm_readv and process_vm_writev reach the memory of a child, in part where only part is there.
// home: process_vm_readv, process_vm_writev
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), text[32] = "";
  strcpy(at + 4090, "of the child");
  HOLDS(munmap(at + 4096, 0) == -1);
  int ready[2], end[2];
  if (pipe(ready) || pipe(end)) abort();
  const pid_t child = fork();
  if (child == 0) {
    struct iovec own = {text, 1}, that = {at + 4090, 1};
    if (process_vm_readv(getpid(), &own, 1, &that, 1, 0) != 1) _exit(8);   // one that is away has no memory at home: this brings it there
    at[4090] = 'O';
    munmap(at + 4096, 4096);
    char go;
    if (write(ready[1], "r", 1) != 1 || read(end[0], &go, 1) != 1) _exit(9);
    _exit(at[0]);
  }
  if (read(ready[0], text, 1) != 1) abort();
  struct iovec here = {text, 20}, there = {at + 4090, 20};
  DO(process_vm_readv(child, &here, 1, &there, 1, 0));
  SAY("%.6s", text);
  struct iovec half = {text, 6}, beyond = {at + 4096, 20};
  DO(process_vm_readv(child, &half, 1, &there, 1, 0));
  DO(process_vm_readv(child, &half, 1, &beyond, 1, 0));
  DO(process_vm_readv(child, &half, 1, &there, 1, 1));
  struct iovec one = {"\x21", 1}, to = {at, 1};
  DO(process_vm_writev(child, &one, 1, &to, 1, 0));
  SAY("%c", at[4090]);
  HOLDS(write(end[1], "e", 1) == 1);
  SAY("%d", ended(child));
}
