// mkstemp and its kin make new files with names of their own.
#include "../../lab.h"

BEHAVIOUR {
  char one[] = "nameXXXXXX", two[] = "nameXXXXXX.txt", three[] = "dirXXXXXX", bad[] = "nameXXXXX", four[] = "cloXXXXXX";
  struct stat is;
  const int fd = DO(mkstemp(one) >= 0) ? 0 : -1;
  DO(stat(one, &is));
  SAY("%o, %d", is.st_mode, fd);
  DO(mkstemps(two, 4) >= 0);
  DO(strcmp(two + 10, ".txt"));
  DO(mkdtemp(three) == three);
  DO(stat(three, &is));
  SAY("%o", is.st_mode);
  DO(mkstemp(bad));
  SAY("%s", bad);
  const int cloexec = mkostemp(four, O_CLOEXEC | O_APPEND);
  DO(fcntl(cloexec, F_GETFD));
  DO(strcmp(one, "nameXXXXXX") != 0);
  for (int i = 0; i < 3; ++i) DO(unlink(i == 0 ? one : i == 1 ? two : four));
  DO(rmdir(three));
}
