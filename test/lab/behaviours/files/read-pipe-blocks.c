// A read of an empty pipe waits for the writer, wherever the reader goes meanwhile, and sees the end of the file after the last of them.
#include "../../lab.h"

static int ends[2];
static void put(void) { if (write(ends[1], "late", 4) != 4) abort(); }
static void shut(void) { close(ends[1]); }

BEHAVIOUR {
  char text[16] = "";
  DO(pipe(ends));
  pthread_t writer = later(60, put);
  DO(read(ends[0], text, sizeof text));
  SAY("%s", text);
  pthread_join(writer, NULL);
  writer = later(60, shut);
  DO(read(ends[0], text, sizeof text));
  pthread_join(writer, NULL);
}
