// What mmap refuses, and with which error.
// refused: it maps a file shared that is open for writing
// home: mmap
#include "../../lab.h"

BEHAVIOUR {
  const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  int fd = open("file", O_RDWR | O_CREAT, 0600), out = open("file", O_WRONLY), in = open("file", O_RDONLY), ends[2];
  if (pipe(ends) || ftruncate(fd, 8192)) abort();
  TRY(mmap(NULL, 0, PROT_READ, anonymous, -1, 0));
  TRY(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 100));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 777, 0));
  TRY(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, 777, 0));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, out, 0));
  TRY(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, in, 0));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ends[0], 0));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, (off_t)0x7ffffffffffff000));
  TRY(mmap(NULL, (size_t)-4096, PROT_READ, anonymous, -1, 0));
  TRY(mmap(NULL, (size_t)-1, PROT_READ, MAP_PRIVATE, fd, 0));
  TRY(mmap(NULL, (size_t)1 << 47, PROT_READ, anonymous | MAP_NORESERVE, -1, 0));
  TRY(mmap(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | 0x800000, fd, 0));
  TRY(mmap((void *)(1L << 48), 4096, PROT_READ, anonymous | MAP_FIXED, -1, 0));
}
