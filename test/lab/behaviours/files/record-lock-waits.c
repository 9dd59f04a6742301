// F_SETLKW waits until the child that has the lock gives it up, or ends; a signal ends the wait.
// home: fork
#include "../../lab.h"

static int fd;
static void handler(int signal UNUSED) {}
static void send_it(void) { kill(getpid(), SIGUSR1); }
static int set(int command, short type) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 5, .l_len = 5};
  return fcntl(fd, command, &lock);
}

BEHAVIOUR {
  int ends[2], go[2];
  char byte;
  fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  DO(pipe(ends));
  DO(pipe(go));
  const pid_t child = FORK();
  if (!child) {
    if (set(F_SETLK, F_WRLCK) || write(ends[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1) _exit(1);
    sleep_ms(60);
    _exit(0);
  }
  DO(read(ends[0], &byte, 1));
  DO(set(F_SETLK, F_RDLCK));
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  pthread_t other = later(60, send_it);
  DO(set(F_SETLKW, F_RDLCK));
  pthread_join(other, NULL);
  DO(write(go[1], "x", 1));
  DO(set(F_SETLKW, F_WRLCK));
  SAY("child %d", ended(child));
}
