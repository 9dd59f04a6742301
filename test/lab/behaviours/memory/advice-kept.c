// What has been said of memory for forks, cores and growth stays said, of mappings that were there and of new ones, until the opposite is said.
// home: open, openat, mmap
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"

// The flags of the mapping at `at` that are asked for (proc(5), smaps).
static void look(const char *name, void *at) {
  static const char *known[] = {"dc", "dd", "wf", "gd"};
  char line[512], flags[64] = "";
  bool found = false;
  FILE *list;
  AT(list = fopen("/proc/self/smaps", "r"));
  while (fgets(line, sizeof line, list)) {
    unsigned long start, end;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2) found = start <= (unsigned long)at && (unsigned long)at < end;
    if (!found || strncmp(line, "VmFlags:", 8)) continue;
    for (unsigned i = 0; i < sizeof known / sizeof *known; ++i)
      if (strstr(line, known[i])) strcat(strcat(flags, " "), known[i]);
  }
  fclose(list);
  SAY("%s:%s", name, flags);
}

static char *pages(int n, int more) { return mmap(NULL, (size_t)n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0); }

BEHAVIOUR {
  char *old = pages(4, 0), *grows = NULL, *made = NULL;
  memset(old, 1, 4 * 4096);
  DO(madvise(old, 4096, MADV_DONTDUMP));
  DO(madvise(old + 4096, 4096, MADV_DONTFORK));
  AT(made = pages(2, 0));
  DO(madvise(made, 4096, MADV_DONTDUMP));
  DO(madvise(made, 4096, MADV_WIPEONFORK));
  AT(grows = pages(2, MAP_GROWSDOWN));
  look("old 0", old);
  look("old 1", old + 4096);
  look("old 2", old + 8192);
  look("made 0", made);
  look("made 1", made + 4096);
  look("grows", grows);
  DO(madvise(old, 4096, MADV_DODUMP));
  DO(madvise(old + 4096, 4096, MADV_DOFORK));
  DO(madvise(old + 4096, 4096, MADV_DONTDUMP));
  DO(madvise(made, 4096, MADV_KEEPONFORK));
  AT(munmap(grows, 8192));
  AT(mmap(grows, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
  look("old 0", old);
  look("old 1", old + 4096);
  look("made 0", made);
  look("grew", grows);
}
