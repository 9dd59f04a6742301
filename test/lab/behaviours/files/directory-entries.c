// getdents64 gives each name once, also over many calls; with too little room it is refused and nothing is lost.
#include "../../lab.h"
#include <dirent.h>

BEHAVIOUR {
  char name[32], room[512];
  DO(mkdir("d", 0700));
  for (int i = 0; i < 60; ++i) {
    snprintf(name, sizeof name, "d/name-%d", i);
    if (mknod(name, S_IFREG | 0600, 0)) abort();
  }
  const int fd = DO(open("d", O_RDONLY | O_DIRECTORY));
  DO(getdents64(fd, room, 10));
  int seen[60] = {0}, dots = 0, twice = 0, calls = 0;
  for (ssize_t n = 1; n > 0; ++calls) {
    if (calls % 3 == 0) lab_point("getdents64");
    n = getdents64(fd, room, sizeof room);
    for (ssize_t at = 0; at < n;) {
      const struct dirent64 *entry = (struct dirent64 *)(room + at);
      int number;
      if (sscanf(entry->d_name, "name-%d", &number) == 1) twice += seen[number]++;
      else ++dots;
      at += entry->d_reclen;
    }
  }
  int all = 0;
  for (int i = 0; i < 60; ++i) all += seen[i];
  SAY("%d names, %d dots, %d twice", all, dots, twice);
  DO(getdents64(fd, room, sizeof room));
  DO(lseek(fd, 0, SEEK_SET));
  DO(getdents64(fd, room, sizeof room) > 0);
  DO(rmdir("d"));
  DO(getdents64(open("d/name-1", O_RDONLY), room, sizeof room));
}
