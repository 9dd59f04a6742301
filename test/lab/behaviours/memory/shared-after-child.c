// What a child wrote into shared memory is there after its end, also where the parent has not looked before.
// refused: shares memory with another process
// home: fork
#include "../../lab.h"

BEHAVIOUR {
  const size_t pages = 64;
  unsigned char *shared = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  HOLDS(shared != MAP_FAILED);
  AT(shared[0] = 1);
  const pid_t child = FORK();
  if (child == 0) {
    for (size_t i = 1; i < pages; i += 3) shared[i * 4096 + i] = (unsigned char)(i + 1);
    _exit(0);
  }
  SAY("child %d", ended(child));
  for (int turn = 0; turn < 3; ++turn) {
    lab_point("before looking");
    unsigned sum = 0;
    for (size_t i = 0; i < pages * 4096; ++i) sum = sum * 31 + shared[i];
    SAY("%u", sum);
    shared[turn * 4096 + 5] = (unsigned char)turn;
  }
}
