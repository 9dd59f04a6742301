// What a pipe could not give to a bad address stays in it, and a pair that could not be told is not made.
#include "../../lab.h"

BEHAVIOUR {
  char text[8] = "";
  int ends[2];
  char *bad = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DO(pipe(ends));
  DO(write(ends[1], "12345", 5));
  DO(read(ends[0], bad, 5));
  DO(read(ends[0], text, 2));
  DO(write(ends[1], bad, 5));
  DO(read(ends[0], text, sizeof text));
  SAY("%s", text);
  DO(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  DO(read(ends[0], bad, 5));
  DO(syscall(SYS_pipe, bad));
  DO(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad));
  DO(dup(0));
  DO(close(ends[1]));
  DO(read(ends[0], bad, 5));
}
