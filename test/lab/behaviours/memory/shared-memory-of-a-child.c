// What a child has written to shared memory is there for its parent, who never touched it, when the child has ended and the parent moves.
// refused: shares memory with another process
// home: fork
#include "../../lab.h"

BEHAVIOUR {
  char *at = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const pid_t child = FORK();
  if (child == 0) {
    for (int i = 0; i < 64; i += 2) memset(at + i * 4096, 'a' + i % 26, 4096);
    _exit(0);
  }
  SAY("%d", ended(child));
  AT(sleep_ms(1));
  AT(sleep_ms(1));
  char seen[65] = "";
  for (int i = 0; i < 64; ++i) seen[i] = at[i * 4096] ? at[i * 4096 + 4095] : '.';
  AT(SAY("%s", seen));
}
