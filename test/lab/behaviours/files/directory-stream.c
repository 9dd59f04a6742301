// A directory's stream can be wound back, and set to where it told it was.
#include "../../lab.h"
#include <dirent.h>

BEHAVIOUR {
  char name[256];
  for (int i = 0; i < 5; ++i) {
    snprintf(name, sizeof name, "%d", i);
    if (mknod(name, S_IFREG | 0600, 0)) abort();
  }
  DIR *dir = opendir(".");
  HOLDS(dir);
  AT(readdir(dir));
  AT(readdir(dir));
  const long place = telldir(dir);
  AT(snprintf(name, sizeof name, "%s", readdir(dir)->d_name));
  AT(readdir(dir));
  AT(seekdir(dir, place));
  DO(strcmp(name, readdir(dir)->d_name));
  AT(rewinddir(dir));
  int count = 0;
  while (readdir(dir)) {
    if (count == 3) lab_point("readdir");
    ++count;
  }
  SAY("%d", count);
  if (mknod("6", S_IFREG | 0600, 0)) abort();
  AT(rewinddir(dir));
  for (count = 0; readdir(dir);) ++count;
  SAY("%d", count);
  DO(dirfd(dir) > 2);
  DO(closedir(dir));
  DO(opendir("0") == NULL);
  DO(fdopendir(-1) == NULL);
  struct dirent **list;
  DO(scandir(".", &list, NULL, alphasort));
  SAY("%s %s %s", list[0]->d_name, list[2]->d_name, list[7]->d_name);
}
