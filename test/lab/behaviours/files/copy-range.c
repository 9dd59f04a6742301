// copy_file_range copies between files, at their positions or at offsets of its own, which it moves on.
#include "../../lab.h"

BEHAVIOUR {
  char text[32] = "";
  off64_t from = 4, to = 10;
  const int in = DO(open("in", O_RDWR | O_CREAT, 0600)), out = DO(open("out", O_RDWR | O_CREAT, 0600));
  DO(write(in, "0123456789", 10));
  DO(copy_file_range(in, &from, out, &to, 3, 0));
  SAY("from %ld to %ld", (long)from, (long)to);
  DO(lseek(out, 0, SEEK_CUR));
  DO(lseek(in, 8, SEEK_SET));
  DO(copy_file_range(in, NULL, out, NULL, 100, 0));
  DO(lseek(in, 0, SEEK_CUR));
  DO(lseek(out, 0, SEEK_CUR));
  DO(copy_file_range(in, NULL, out, NULL, 100, 0));
  DO(pread(out, text, sizeof text, 0));
  SAY("%.2s %.3s", text, text + 10);
  DO(copy_file_range(in, &from, out, &to, 1, 1));
  from = 0, to = 2;
  DO(copy_file_range(in, &from, in, &to, 5, 0));
  SAY("from %ld to %ld", (long)from, (long)to);
  const int end = DO(open("out", O_WRONLY | O_APPEND));
  DO(copy_file_range(in, &from, end, NULL, 5, 0));
  DO(copy_file_range(out, &from, open("out", O_RDONLY), NULL, 5, 0));
  from = -3;
  DO(copy_file_range(in, &from, out, NULL, 5, 0));
  SAY("from %ld", (long)from);
  DO(copy_file_range(in, NULL, open(".", O_RDONLY), NULL, 5, 0));
}
