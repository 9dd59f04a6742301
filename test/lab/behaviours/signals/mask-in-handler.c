// While a handler runs its signal and those of sa_mask are blocked, with SA_NODEFER the latter alone, and afterwards what was blocked before.
#include "../../lab.h"

static char seen[64];
static int turns;
static void put(char c) { seen[strlen(seen)] = c; }
static void second(int signal) { (void)signal, put('2'); }
static void first(int signal) {
  sigset_t mask;
  put('(');
  if (++turns < 3) {
    AT(raise(signal));                                // until this one returns, or at once
    kill(getpid(), SIGUSR2);
  }
  sigprocmask(SIG_BLOCK, NULL, &mask);
  for (int s = 1; s < 32; ++s) if (sigismember(&mask, s) == 1) put((char)('A' + s % 26));
  put(')');
}

BEHAVIOUR {
  struct sigaction action = {.sa_handler = second}, old;
  sigaction(SIGUSR2, &action, NULL);
  sigset_t mask;
  for (int i = 0; i < 4; ++i) {
    action = (struct sigaction){.sa_handler = first, .sa_flags = i % 2 ? SA_NODEFER : 0};
    sigaddset(&action.sa_mask, SIGHUP);
    if (i >= 2) sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    memset(seen, 0, sizeof seen);
    turns = 0;
    DO(raise(SIGUSR1));
    SAY("%s", seen);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    SAY("blocked after %d %d %d", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2), sigismember(&mask, SIGHUP));
  }
  DO(sigaction(SIGUSR1, NULL, &old));
  SAY("mask %d %d, flags %x", sigismember(&old.sa_mask, SIGHUP), sigismember(&old.sa_mask, SIGTERM), old.sa_flags & ~0x04000000);
}
