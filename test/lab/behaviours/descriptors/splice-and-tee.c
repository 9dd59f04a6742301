// splice and tee bring data from file to pipe to pipe to file, and tell what they did by positions and counts.
#include "../../lab.h"

BEHAVIOUR {
  int a[2], b[2];
  char text[32] = "";
  const int in = open("in", O_RDWR | O_CREAT, 0600), out = open("out", O_RDWR | O_CREAT, 0600);
  if (write(in, "0123456789abcdefghij", 20) != 20 || pipe(a) || pipe(b)) abort();
  loff_t at = 5, to = 3;
  DO(splice(in, &at, a[1], NULL, 10, 0));
  SAY("%ld", (long)at);
  DO(tee(a[0], b[1], 6, 0));
  DO(read(b[0], text, sizeof text));
  SAY("%.6s", text);
  DO(splice(a[0], NULL, out, &to, 100, SPLICE_F_NONBLOCK));
  SAY("%ld", (long)to);
  DO(splice(a[0], NULL, out, &to, 100, SPLICE_F_NONBLOCK));
  DO(pread(out, text, sizeof text, 3));
  SAY("%.10s", text);
  at = 0;
  DO(splice(in, &at, out, NULL, 5, 0));
  DO(splice(in, NULL, a[1], &at, 5, 0));
  DO(tee(a[0], a[1], 5, 0));
  DO(splice(in, (loff_t *)8, a[1], NULL, 5, 0));
  DO(lseek(in, 18, SEEK_SET));
  DO(splice(in, NULL, a[1], NULL, 100, 0));
  DO(splice(in, NULL, a[1], NULL, 100, 0));
}
