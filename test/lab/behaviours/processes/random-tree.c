// A tree of thirty processes that fork, run programs and end at random: every one is waited for by its parent, once, with its own status.
#include "../../lab.h"

static unsigned state;
static unsigned chance(unsigned below) { return state = state * 1103515245u + 12345u, (state >> 16) % below; }

// Gives how many processes there were under it, itself too. A process is what its number makes of it.
static int branch(unsigned seed, int budget) {
  state = seed;
  int count = 1, running = 0;
  struct { pid_t pid; int expected; } children[4];
  if (budget > 20 || chance(3) == 0) lab_point("a branch");
  for (--budget; budget > 0;) {
    const int share = budget < 4 ? 1 : 1 + (int)chance((unsigned)budget / 2);
    const unsigned next = chance(1u << 30);
    const bool program = share == 1 && chance(3) == 0;
    budget -= share;
    const pid_t child = fork();
    if (child < 0) _exit(99);
    if (child == 0) {
      sleep_ms(chance(8));
      if (program) execl("/bin/sh", "sh", "-c", "exit 1", NULL);
      _exit(branch(next, share));
    }
    children[running].pid = child;
    children[running++].expected = share;
    if (running == 4 || budget == 0 || chance(2)) {
      while (running > 0) {
        const int status = ended(children[--running].pid);
        if (status != children[running].expected) _exit(98);
        count += status;
      }
    }
    sleep_ms(chance(4));
  }
  return count;
}

BEHAVIOUR {
  for (unsigned turn = 1; turn <= 2; ++turn) SAY("%d processes", branch(turn * 77, 30));
  DO(waitpid(-1, NULL, 0));
}
