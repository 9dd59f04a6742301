// A splice from an empty pipe waits for what comes, and ends with the last writer.
#include "../../lab.h"

static int ends[2];
static void put(void) { if (write(ends[1], "late", 4) != 4) abort(); }
static void shut(void) { close(ends[1]); }

BEHAVIOUR {
  DO(pipe(ends));
  const int out = DO(open("out", O_RDWR | O_CREAT, 0600));
  pthread_t writer = later(60, put);
  DO(splice(ends[0], NULL, out, NULL, 100, 0));
  pthread_join(writer, NULL);
  writer = later(60, shut);
  DO(splice(ends[0], NULL, out, NULL, 100, 0));
  pthread_join(writer, NULL);
  DO(lseek(out, 0, SEEK_END));
}
