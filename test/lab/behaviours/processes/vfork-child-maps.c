// What a vfork child maps is its parent's too.
#include "../../lab.h"

static char *volatile at;

BEHAVIOUR {
  const int file = open("mapped", O_RDWR | O_CREAT, 0600);
  char block[4096];
  for (int i = 0; i < 40; ++i) {
    memset(block, 'a' + i % 26, sizeof block);
    if (write(file, block, sizeof block) != sizeof block) SAY("no room");
  }
  lab_point("vfork");
  const pid_t child = vfork();
  if (!child) {
    at = mmap(NULL, 40 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    _exit(at == MAP_FAILED);
  }
  int status = 0;
  waitpid(child, &status, 0);
  AT(SAY("%d: %c %c %c", status, at[0], at[20 * 4096], at[39 * 4096]));
  at[0] = 'x';
  AT(SAY("%c %c", at[0], at[4096]));
}
