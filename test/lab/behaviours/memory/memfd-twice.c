// Code that a just-in-time compiler writes through one mapping and runs through another is the same memory wherever the process is.
// home: mmap
#include "../../lab.h"

BEHAVIOUR {
  const size_t size = 16 * 4096;
  const int fd = memfd_create("code", MFD_CLOEXEC);
  HOLDS(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
  uint8_t *write_to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  uint8_t *run = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  const uint8_t *third = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 3 * 4096);
  HOLDS(write_to != MAP_FAILED && run != MAP_FAILED && third != MAP_FAILED);
  close(fd);
  for (int turn = 0; turn < 8; ++turn) {
    const uint8_t code[] = {0xb8, (uint8_t)(turn + 40), 0, 0, 0, 0xc3};   // mov $turn + 40, %eax; ret
    const size_t at = (size_t)turn * 2 * 4096;
    AT(memcpy(write_to + at, code, sizeof code));
    lab_point("run");
    SAY("%d", ((int (*)(void))(void *)(run + at))());
  }
  AT(write_to[3 * 4096 + 7] = 99);
  lab_point("look");
  HOLDS(run[3 * 4096 + 7] == 99 && third[7] == 99 && run[15 * 4096] == 0);
  AT(munmap(write_to, size));
  HOLDS(((int (*)(void))(void *)run)() == 40);
  DO(mprotect(run, size, PROT_READ | PROT_WRITE));
  AT(run[3 * 4096] = 77);
  lab_point("look again");
  HOLDS(third[0] == 77);
}
