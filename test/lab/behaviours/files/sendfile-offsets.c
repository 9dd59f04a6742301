// sendfile with an offset leaves the position and moves the offset on; without it the position moves.
#include "../../lab.h"
#include <sys/sendfile.h>

BEHAVIOUR {
  char text[32] = "";
  off_t at = 3;
  int ends[2];
  const int in = DO(open("in", O_RDWR | O_CREAT, 0600)), out = DO(open("out", O_RDWR | O_CREAT, 0600));
  DO(write(in, "0123456789", 10));
  DO(sendfile(out, in, &at, 4));
  SAY("at %ld", (long)at);
  DO(lseek(in, 1, SEEK_SET));
  DO(sendfile(out, in, NULL, 2));
  DO(lseek(in, 0, SEEK_CUR));
  DO(pread(out, text, sizeof text, 0));
  SAY("%s", text);
  DO(pipe(ends));
  DO(sendfile(ends[1], in, &at, 100));
  SAY("at %ld", (long)at);
  memset(text, 0, sizeof text);
  DO(read(ends[0], text, sizeof text));
  SAY("%s", text);
  DO(sendfile(ends[1], in, &at, 100));
  at = -1;
  DO(sendfile(out, in, &at, 1));
  DO(sendfile(out, ends[0], NULL, 1));
  DO(sendfile(open("out", O_WRONLY | O_APPEND), in, NULL, 1));
  DO(sendfile(in, open("out", O_WRONLY), NULL, 1));
}
