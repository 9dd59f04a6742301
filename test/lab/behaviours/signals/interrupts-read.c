// A handler without SA_RESTART ends a blocked read with EINTR; with it the read goes on.
#include "../../lab.h"

static int ends[2];
static volatile sig_atomic_t caught;
static void handler(int signal) { caught = signal; }
static void send_it(void) { kill(getpid(), SIGUSR1); }
static void send_and_put(void) {
  kill(getpid(), SIGUSR1);
  sleep_ms(60);
  if (write(ends[1], "x", 1) != 1) abort();
}

BEHAVIOUR {
  char text[4] = "";
  DO(pipe(ends));
  struct sigaction action = {.sa_handler = handler};
  DO(sigaction(SIGUSR1, &action, NULL));
  pthread_t other = later(60, send_it);
  DO(read(ends[0], text, sizeof text));
  SAY("caught %d", caught == SIGUSR1);
  pthread_join(other, NULL);
  caught = 0;
  action.sa_flags = SA_RESTART;
  DO(sigaction(SIGUSR1, &action, NULL));
  other = later(60, send_and_put);
  DO(read(ends[0], text, sizeof text));
  SAY("caught %d, read %s", caught == SIGUSR1, text);
  pthread_join(other, NULL);
}
