// null, zero and urandom are what they are elsewhere, also mapped.
#include "../../lab.h"

BEHAVIOUR {
  char a[64] = "x", b[64] = "x";
  const int zero = DO(open("/dev/zero", O_RDWR)), null = DO(open("/dev/null", O_RDWR)), random = DO(open("/dev/urandom", O_RDONLY));
  DO(read(zero, a, 64));
  DO(a[0]);
  DO(write(zero, a, 64));
  DO(read(null, a, 64));
  DO(write(null, a, 64));
  DO(read(random, a, 64));
  DO(read(random, b, 64));
  DO(memcmp(a, b, 64) != 0);
  char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
  map[5000] = 7;
  AT(map[0] = 1);
  DO(map[5000] + map[0] + map[8191]);
  DO(munmap(map, 8192));
  DO(lseek(zero, 100, SEEK_SET));
  DO(lseek(null, 0, SEEK_CUR));
  struct stat is;
  DO(fstat(null, &is));
  SAY("%o %lx", is.st_mode & S_IFMT, (long)is.st_rdev);
  DO(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, null, 0) == MAP_FAILED);
}
