// A memory file keeps what it is given, and its seals.
#include "../../lab.h"

BEHAVIOUR {
  char text[16] = "";
  struct stat is;
  const int fd = DO(memfd_create("name", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  DO(write(fd, "0123456789", 10));
  DO(fcntl(fd, F_GET_SEALS));
  DO(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
  DO(ftruncate(fd, 5));
  DO(ftruncate(fd, 20));
  DO(pwrite(fd, "abcdef", 6, 8));
  DO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
  DO(write(fd, "x", 1));
  DO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  DO(fcntl(fd, F_GET_SEALS));
  DO(pread(fd, text, sizeof text, 0));
  SAY("%s", text);
  DO(fstat(fd, &is));
  SAY("%o %ld", is.st_mode & S_IFMT, (long)is.st_size);
  AT(readlink("/proc/self/fd/3", text, 12));
  SAY("%.12s", text);
  const int other = DO(memfd_create("", 0));
  DO(fcntl(other, F_ADD_SEALS, F_SEAL_WRITE));
  DO(memfd_create("x", 0x4000));
}
