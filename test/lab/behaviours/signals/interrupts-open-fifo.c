// The open of a FIFO that waits for the other side ends with EINTR, or goes on where the handler has SA_RESTART.
#include "../../interrupts.h"

static int other;
static void open_other(void) { other = open("fifo", O_WRONLY); }
static void open_reader(void) { other = open("fifo", O_RDONLY); }

BEHAVIOUR {
  DO(mkfifo("fifo", 0600));
  INTERRUPTED(open("fifo", O_RDONLY));
  RESTARTED(open_other, open("fifo", O_RDONLY) > 0);
  HOLDS(other > 0);
  unlink("fifo");
  DO(mkfifo("fifo", 0600));
  INTERRUPTED(openat(AT_FDCWD, "fifo", O_WRONLY));
  RESTARTED(open_reader, open("fifo", O_WRONLY) > 0);
  DO(unlink("fifo"));
}
