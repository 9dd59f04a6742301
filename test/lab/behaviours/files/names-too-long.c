// A name may have 255 bytes, a path 4095.
#include "../../lab.h"

BEHAVIOUR {
  static char name[300], path[5000];
  struct stat is;
  memset(name, 'n', 255);
  DO(mkdir(name, 0700));
  name[255] = 'n';
  DO(mkdir(name, 0700));
  DO(open(name, O_RDONLY));
  memset(path, '/', sizeof path - 1);
  for (int i = 0; i < 4094; i += 2) path[i] = '.';
  path[4094] = 0;
  DO(stat(path, &is));
  path[4094] = '/', path[4095] = 0;
  DO(stat(path, &is));
  path[4095] = '.', path[4096] = 0;
  DO(stat(path, &is));
  path[4095] = '/', path[4096] = '/';
  DO(access(path, F_OK));
  DO(symlink(path, "link"));
  path[4095] = 0;
  DO(symlink(path, "link"));
  DO(readlink("link", path, sizeof path));
  DO(rename(path, "x"));
  DO(chdir(name));
}
