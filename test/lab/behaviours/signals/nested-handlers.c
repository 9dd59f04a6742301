// Handlers nest: each returns to where the one before was interrupted, with its registers and its mask.
#include "../../lab.h"

static char seen[64];
static void put(char c) { seen[strlen(seen)] = c; }
static void handler(int signal) {
  volatile double half = signal / 2.0;
  sigset_t mask;
  put((char)('a' + signal - SIGRTMIN));
  if (signal < SIGRTMIN + 5) AT(raise(signal + 1));
  sigprocmask(SIG_BLOCK, NULL, &mask);
  int blocked = 0;
  for (int i = 0; i < 6; ++i) blocked += sigismember(&mask, SIGRTMIN + i);
  put((char)('0' + blocked));
  if (half != signal / 2.0) put('!');
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler};
  for (int i = 0; i < 6; ++i) sigaction(SIGRTMIN + i, &action, NULL);
  DO(raise(SIGRTMIN));
  SAY("%s", seen);
  memset(seen, 0, sizeof seen);
  for (int i = 0; i < 5; i += 2) sigaddset(&action.sa_mask, SIGRTMIN + i + 1);
  for (int i = 0; i < 6; ++i) sigaction(SIGRTMIN + i, &action, NULL);
  DO(raise(SIGRTMIN));
  SAY("%s", seen);
}
