// Private memory put in the place of shared memory is private: a child's copy is its own.
// refused: shares memory with another process
// home: fork
#include "../../lab.h"

BEHAVIOUR {
  char *memory = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  HOLDS(memory != MAP_FAILED);
  for (int i = 0; i < 4; ++i) memory[i * 4096] = (char)('a' + i);
  lab_point("replace the second and third page");
  HOLDS(mmap(memory + 4096, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == memory + 4096);
  AT(memory[4096] = 'p');
  char *late = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  HOLDS(late != MAP_FAILED);
  AT(late[0] = 'l');
  const pid_t child = FORK();
  if (child == 0) {
    memory[0] = 'A';
    memory[4096] = 'P';
    memory[3 * 4096] = 'D';
    late[0] = 'L';
    _exit(0);
  }
  SAY("child %d", ended(child));
  lab_point("look");
  SAY("%c %c %d %c %c", memory[0], memory[4096], memory[2 * 4096], memory[3 * 4096], late[0]);
}
