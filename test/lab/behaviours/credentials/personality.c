// A personality stays until it is changed, is inherited, and has its effect: old version numbers, readable memory that can be executed.
// home: personality
#include "../../lab.h"
#include <sys/personality.h>
#include <sys/utsname.h>

BEHAVIOUR {
  struct utsname name;
  DO(personality(0xffffffff));
  DO(personality(UNAME26));
  DO(uname(&name));
  SAY("%.3s", name.release);
  DO(personality(0xffffffff) == UNAME26);
  DO(personality(READ_IMPLIES_EXEC) == UNAME26);
  unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, "\xb8\x2a\x00\x00\x00\xc3", 6);        // mov eax, 42; ret
  DO(((int (*)(void))page)());
  const pid_t child = FORK();
  if (child == 0) _exit(personality(0xffffffff) == READ_IMPLIES_EXEC ? 4 : 5);
  SAY("child %d", ended(child));
  DO(personality(ADDR_NO_RANDOMIZE) == READ_IMPLIES_EXEC);
  DO(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
  DO(personality(0) == ADDR_NO_RANDOMIZE);
}
