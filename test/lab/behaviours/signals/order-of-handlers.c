// Of several signals that become deliverable at once, a later handler runs before the earlier ones go on, unless it is in their masks.
#include "../../lab.h"

static char seen[64];
static void handler(int signal) { seen[strlen(seen)] = (char)('a' + signal % 26); }

static void turn(bool masked, sigset_t *set) {
  struct sigaction action = {.sa_handler = handler};
  if (masked) action.sa_mask = *set;
  const int all[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM, SIGRTMIN, SIGRTMIN + 5};
  for (int i = 0; i < 6; ++i) sigaction(all[i], &action, NULL), sigaddset(set, all[i]);
  if (masked) for (int i = 0; i < 6; ++i) action.sa_mask = *set, sigaction(all[i], &action, NULL);
  sigprocmask(SIG_BLOCK, set, NULL);
  for (int i = 5; i >= 0; --i) kill(getpid(), all[i]);
  AT(raise(SIGUSR2));                                 // the thread's own, as well
  memset(seen, 0, sizeof seen);
  DO(sigprocmask(SIG_UNBLOCK, set, NULL));
  SAY("%s", seen);
}

BEHAVIOUR {
  sigset_t set;
  sigemptyset(&set);
  turn(false, &set);
  turn(true, &set);
}
