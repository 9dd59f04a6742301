// The open of a FIFO waits for the other side; without waiting the reader succeeds, and the writer fails.
// home: fork
#include "../../lab.h"

static void open_other(void) {
  const int fd = open("fifo", O_WRONLY);
  if (fd < 0 || write(fd, "first", 5) != 5) abort();
}
static void handler(int signal UNUSED) {}
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  char text[8] = "";
  DO(mkfifo("fifo", 0600));
  DO(open("fifo", O_WRONLY | O_NONBLOCK));
  DO(close(open("fifo", O_RDONLY | O_NONBLOCK)));
  pthread_t other = later(60, open_other);
  // The other opens it too, and whoever begins first has the lower number: one that is stopped in its open begins anew (signal(7)).
  int fd;
  AT(fd = open("fifo", O_RDONLY));
  HOLDS(fd == 3 || fd == 4);
  DO(read(fd, text, sizeof text));
  SAY("%s", text);
  pthread_join(other, NULL);
  AT(close(fd));
  close(7 - fd);
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  DO(mkfifo("second", 0600));
  other = later(60, send_it);
  DO(open("second", O_RDONLY));
  pthread_join(other, NULL);
  DO(unlink("fifo"));
  DO(unlink("second"));
}
