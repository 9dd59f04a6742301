// Twenty links in a row are followed, forty-one are a loop; a link keeps its text as it is.
#include "../../lab.h"

BEHAVIOUR {
  char name[16], next[16], text[64];
  DO(close(open("l0", O_WRONLY | O_CREAT, 0600)));
  for (int i = 1; i <= 41; ++i) {
    snprintf(name, sizeof name, "l%d", i);
    snprintf(next, sizeof next, "l%d", i - 1);
    if (symlink(next, name)) abort();
  }
  TRY(open("l20", O_RDONLY));                        // of forty the kernel counts some twice now and then, when it begins a walk anew (do_filp_open)
  DO(open("l41", O_RDONLY));
  DO(symlink("self", "self"));
  DO(open("self", O_RDONLY));
  DO(stat("self/x", (struct stat *)text));
  DO(access("self", F_OK));
  memset(text, '#', sizeof text);
  DO(readlink("l41", text, sizeof text));
  DO(text[3] == '#');
  DO(readlink("l41", text, 2));
  SAY("%.4s", text);
  DO(readlink("l0", text, 5));
  DO(readlink("l41", text, 0));
  DO(syscall(SYS_readlink, "l41", text, -1));
  DO(symlink("", "empty"));
  DO(symlink("anything at all//../", "odd"));
  DO(readlink("odd", text, sizeof text));
}
