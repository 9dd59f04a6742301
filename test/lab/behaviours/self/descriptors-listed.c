// /proc/self/fd lists the descriptors that are open, and no others.
// home: open, openat
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"
#include <dirent.h>

static void list(const char *directory) {
  DIR *dir = opendir(directory);
  char text[200] = "";
  int last = -1;
  for (;;) {                                            // in order of their numbers
    int next = 1 << 30;
    rewinddir(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
      if (entry->d_name[0] != '.' && atoi(entry->d_name) > last && atoi(entry->d_name) < next) next = atoi(entry->d_name);
    if (next == 1 << 30) break;
    last = next;
    if (next < 900) sprintf(text + strlen(text), " %d", next);       // the laboratory's own
    else if (next > 903) strcat(text, " more");
  }
  closedir(dir);
  SAY("%s:%s", directory, text);
}

BEHAVIOUR {
  DO(open("/dev/null", O_RDONLY));
  DO(dup2(0, 77));
  AT(list("/proc/self/fd"));
  DO(close(3));
  AT(list("/proc/self/fdinfo"));
  AT(list("/proc/self/fd"));
}
