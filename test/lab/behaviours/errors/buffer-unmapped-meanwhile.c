// A buffer that another thread takes away while a read waits: EFAULT, or nothing at all, and the program goes on.
#include "../../lab.h"

static int ends[2];
static char *room;
static void take_away(void) {
  munmap(room, 4096);
  if (write(ends[1], "late", 4) != 4) abort();
}

BEHAVIOUR {
  char text[8] = "";
  room = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DO(pipe(ends));
  pthread_t other = later(60, take_away);
  DO(read(ends[0], room, 4));
  pthread_join(other, NULL);
  DO(write(ends[1], "!", 1));
  HOLDS(read(ends[0], text, 8) >= 1);
}
