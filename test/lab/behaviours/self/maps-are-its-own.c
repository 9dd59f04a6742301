// /proc/self/maps shows the program's own mappings where it has them.
// home: open, openat
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"

static int data = 3;

// The first character of the permissions and the rest of them, of the mapping that holds the address.
static void look(const char *file, const void *address, char *mode) {
  FILE *f = fopen(file, "r");
  char line[600];
  unsigned long start, end;
  strcpy(mode, "none");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "%lx-%lx %5s", &start, &end, line + 500) == 3 && (unsigned long)address >= start && (unsigned long)address < end) strcpy(mode, line + 500);
  if (f) fclose(f);
}

BEHAVIOUR {
  char mode[100];
  int stack = 0;
  void *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  AT(look("/proc/self/maps", (void *)(uintptr_t)&look, mode));
  SAY("code %s", mode);
  AT(look("/proc/self/maps", &data, mode));
  SAY("data %s", mode);
  AT(look("/proc/thread-self/maps", &stack, mode));
  SAY("stack %s", mode);
  AT(look("/proc/self/maps", none, mode));
  SAY("none %s", mode);
  AT(look("/proc/self/smaps", shared, mode));
  SAY("shared %s", mode);
  AT(munmap(none, 4096));
  char *heap = malloc(100);
  AT(look("/proc/self/maps", heap, mode));
  SAY("heap %s", mode);
  free(heap);
  AT(look("/proc/self/numa_maps", NULL, mode));
}
