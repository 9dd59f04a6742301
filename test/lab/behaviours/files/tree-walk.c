// nftw goes through a tree, children first if asked; glob finds what matches.
#include "../../lab.h"
#include <ftw.h>
#include <glob.h>

static int files, directories, links, deepest;
static int visit(const char *path UNUSED, const struct stat *is UNUSED, int kind, struct FTW *ftw) {
  if (files + directories == 2) lab_point("in the walk");
  files += kind == FTW_F, directories += kind == FTW_D || kind == FTW_DP, links += kind == FTW_SL || kind == FTW_SLN;
  if (ftw->level > deepest) deepest = ftw->level;
  return 0;
}
static int removes(const char *path, const struct stat *is UNUSED, int kind UNUSED, struct FTW *ftw UNUSED) { return remove(path); }

BEHAVIOUR {
  glob_t found;
  if (mkdir("t", 0700) || mkdir("t/a", 0700) || mkdir("t/a/b", 0700) || mkdir("t/c", 0700) || symlink("../t", "t/c/up")) abort();
  for (int i = 0; i < 3; ++i) close(open(i == 0 ? "t/x.c" : i == 1 ? "t/a/y.c" : "t/a/b/z.h", O_CREAT | O_WRONLY, 0600));
  DO(nftw("t", visit, 5, FTW_PHYS));
  SAY("%d files, %d directories, %d links, %d deep", files, directories, links, deepest);
  files = directories = 0;
  DO(nftw("t", visit, 1, FTW_DEPTH | FTW_CHDIR | FTW_PHYS));
  SAY("%d files, %d directories", files, directories);
  DO(glob("t/*/*.c", 0, NULL, &found));
  DO(glob("t/*.[ch]", GLOB_APPEND, NULL, &found));
  SAY("%zu %s %s", found.gl_pathc, found.gl_pathv[0], found.gl_pathv[1]);
  globfree(&found);
  DO(glob("t/*.none", 0, NULL, &found) == GLOB_NOMATCH);
  DO(nftw("t", removes, 5, FTW_DEPTH | FTW_PHYS));
  DO(nftw("t", visit, 5, 0));
}
