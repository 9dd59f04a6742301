// rename replaces what is there at once, if it is of the same kind and, a directory, empty.
#include "../../lab.h"

BEHAVIOUR {
  char text[8] = "";
  const int old = DO(open("old", O_RDWR | O_CREAT, 0600)), new = DO(open("new", O_RDWR | O_CREAT, 0600));
  DO(write(old, "old", 3));
  DO(write(new, "new", 3));
  DO(rename("old", "new"));
  DO(pread(new, text, 3, 0));
  SAY("%s", text);
  DO(pread(open("new", O_RDONLY), text, 3, 0));
  SAY("%s", text);
  DO(rename("old", "new"));
  DO(mkdir("d", 0700));
  DO(mkdir("d/e", 0700));
  DO(mkdir("f", 0700));
  DO(rename("new", "d"));
  DO(rename("d", "new"));
  DO(rename("f", "d"));
  DO(rename("d", "f"));
  DO(rename("f", "f/e/g"));
  DO(rename("f", "f"));
  DO(rename(".", "x"));
  DO(rename("f/..", "x"));
  DO(link("new", "same"));
  DO(rename("new", "same"));
  DO(access("new", F_OK));
}
