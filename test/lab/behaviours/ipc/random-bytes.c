// getrandom gives what is asked for, never the same twice, also to a child.
#include "../../lab.h"
#include <sys/random.h>

static unsigned char large[1 << 16];

BEHAVIOUR {
  unsigned char one[64] = "", two[64] = "";
  DO(getrandom(one, sizeof one, 0));
  DO(getrandom(two, sizeof two, GRND_NONBLOCK));
  HOLDS(memcmp(one, two, 64) != 0);
  DO(getentropy(one, 64));
  volatile size_t many = 257;
  DO(getentropy(large, many));
  DO(getrandom(one, 0, 0));
  static unsigned char more[30 << 20];                // which takes a while
  for (int i = 0; i < 3; ++i) DO(getrandom(more, sizeof more, 0));
  DO(getrandom(one, 4, 64));
  void *volatile bad = (void *)8;
  DO(getrandom(bad, 4, 0));

  DO(getrandom(large, sizeof large, GRND_RANDOM));
  int ends[2];
  if (pipe(ends)) abort();
  const pid_t child = FORK();
  if (child == 0) {
    for (int i = 0; i < 16; ++i) one[i] = (unsigned char)arc4random();
    _exit(write(ends[1], one, 16) != 16);
  }
  AT(for (int i = 0; i < 16; ++i) two[i] = (unsigned char)arc4random());
  SAY("%d", ended(child));
  DO(read(ends[0], one, 16));
  HOLDS(memcmp(one, two, 16) != 0);
}
