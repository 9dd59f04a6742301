// Opening a FIFO waits for the other side; without waiting the reader gets it and the writer ENXIO; a handler ends the wait.
#include "../../lab.h"

static int other_end;
static void open_other(void) { other_end = open("fifo", O_WRONLY); }
static void open_reader(void) { other_end = open("fifo", O_RDONLY); }
static void handler(int signal) { (void)signal; }
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  char text[4] = "";
  DO(mkfifo("fifo", 0600));
  DO(mkfifo("fifo", 0600));
  DO(open("fifo", O_WRONLY | O_NONBLOCK));
  pthread_t other = later(60, open_other);
  int fd = TRY(open("fifo", O_RDONLY));
  pthread_join(other, NULL);
  DO(write(other_end, "f", 1));
  DO(read(fd, text, 1));
  DO(close(other_end));
  DO(read(fd, text, 1));
  DO(close(fd));
  other = later(60, open_reader);
  fd = TRY(open("fifo", O_WRONLY));
  pthread_join(other, NULL);
  DO(close(fd));
  DO(close(other_end));
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  other = later(60, send_it);
  DO(open("fifo", O_RDONLY));
  pthread_join(other, NULL);
  DO(open("fifo", O_RDONLY | O_NONBLOCK) >= 0);
  DO(open("fifo", O_RDWR) >= 0);
  DO(unlink("fifo"));
}
