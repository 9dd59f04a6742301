// splice takes a file into a pipe and out of it again; tee looks without taking.
#include "../../lab.h"

BEHAVIOUR {
  char text[32] = "";
  off64_t from = 2, to = 5;
  int one[2], two[2];
  const int in = DO(open("in", O_RDWR | O_CREAT, 0600)), out = DO(open("out", O_RDWR | O_CREAT, 0600));
  DO(write(in, "0123456789", 10));
  DO(pipe(one));
  DO(pipe(two));
  DO(splice(in, &from, one[1], NULL, 6, 0));
  SAY("from %ld", (long)from);
  DO(tee(one[0], two[1], 3, SPLICE_F_NONBLOCK));
  DO(splice(one[0], NULL, out, &to, 100, 0));
  SAY("to %ld", (long)to);
  DO(splice(two[0], NULL, out, NULL, 2, 0));
  DO(lseek(out, 0, SEEK_CUR));
  DO(splice(one[0], NULL, out, NULL, 5, SPLICE_F_NONBLOCK));
  DO(splice(one[0], &from, out, NULL, 5, 0));
  DO(splice(in, NULL, out, NULL, 5, 0));
  DO(splice(two[0], NULL, two[1], NULL, 1, 0));
  DO(splice(in, NULL, one[1], NULL, 5, 0x100));
  DO(splice(in, NULL, one[1], NULL, 0, 0));
  DO(pread(out, text, sizeof text, 0));
  SAY("%.2s %s", text, text + 5);
  DO(tee(in, one[1], 5, 0));
}
