// At the largest place that a file system has, a write fails at once, whatever was written before.
#include "../../lab.h"

BEHAVIOUR {
  const int file = open("far", O_RDWR | O_CREAT, 0600);
  for (int i = 0; i < 4; ++i)
    if (write(file, "x", 1) != 1) SAY("no room");
  off_t last = 0;
  for (off_t bit = 1l << 62; bit; bit >>= 1)
    if (lseek(file, last + bit, SEEK_SET) >= 0) last += bit;
  DO(lseek(file, 0, SEEK_SET));
  DO(write(file, "yy", 2));
  DO(lseek(file, last, SEEK_SET) == last);
  DO(write(file, "x", 1));
  DO(fsync(file));
  DO(lseek(file, 2, SEEK_SET));
  DO(write(file, "zz", 2));
  DO(fsync(file));
  char text[5] = "";
  DO(pread(file, text, 4, 0));
  SAY("%s", text);
}
