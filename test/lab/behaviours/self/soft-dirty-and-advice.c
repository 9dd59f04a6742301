// Writing to clear_refs and reading oom_score and io work on the process itself.
// home: open, openat
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"

BEHAVIOUR {
  char text[400] = "";
  const int refs = DO(open("/proc/self/clear_refs", O_WRONLY));
  DO(write(refs, "1", 1));
  DO(write(refs, "nonsense", 8));
  DO(close(refs));
  const int io = DO(open("/proc/self/io", O_RDONLY));
  DO(read(io, text, sizeof text - 1) > 50);
  DO(strstr(text, "wchar: ") != NULL);
  const int score = DO(open("/proc/self/oom_score", O_RDONLY));
  DO(read(score, text, 10) > 0);
  DO(open("/proc/self/maps", O_WRONLY));
  DO(open("/proc/self/missing", O_RDONLY));
  DO(mkdir("/proc/self/new", 0700));
  DO(unlink("/proc/self/maps"));
}
