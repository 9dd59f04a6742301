// vmsplice puts memory into a pipe, and takes from it.
// home: vmsplice
#include "../../lab.h"
#include <sys/uio.h>

BEHAVIOUR {
  int ends[2];
  char text[16] = "";
  static char one[] = "first ", two[] = "second";
  struct iovec parts[2] = {{one, 6}, {two, 6}}, to = {text, 9};
  DO(pipe(ends));
  DO(vmsplice(ends[1], parts, 2, 0));
  DO(read(ends[0], text, 4));
  SAY("%s", text);
  DO(vmsplice(ends[0], &to, 1, 0));
  SAY("%s", text);
  DO(vmsplice(ends[1], (void *)8, 1, 0));
  DO(vmsplice(1000, parts, 1, 0));
}
