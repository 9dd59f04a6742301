// A library mapped as the dynamic linker does it, part over part, plain memory over its end; what is mapped is what the file has, and what was written is kept.
// home: mmap
#include "../../lab.h"
#include <elf.h>
#include <link.h>
#include <sys/mman.h>

static char name[4096];
static int find(struct dl_phdr_info *info, size_t size UNUSED, void *argument UNUSED) {
  if (strstr(info->dlpi_name, "libc.so")) strncpy(name, info->dlpi_name, sizeof name - 1);
  return 0;
}

static unsigned sum_of(const unsigned char *at, size_t length) {
  unsigned sum = 0;
  for (size_t i = 0; i < length; ++i) sum = sum * 31 + at[i];
  return sum;
}

static void map_once(int times) {
  const int fd = DO(open(name, O_RDONLY | O_CLOEXEC));
  unsigned char head[4096];
  HOLDS(fd >= 0 && read(fd, head, 832) == 832);
  struct stat s;
  HOLDS(fstat(fd, &s) == 0);
  const size_t pages = (size_t)s.st_size / 4096, length = pages * 4096 + 8 * 4096;
  unsigned char *at = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, fd, 0);
  HOLDS(at != MAP_FAILED);
  const size_t text = 40 * 4096, rest = 90 * 4096, written = (pages - 10) * 4096;
  HOLDS(mmap(at + text, 50 * 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, fd, (off_t)text) == at + text);
  HOLDS(mmap(at + rest, 20 * 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, fd, (off_t)rest) == at + rest);
  HOLDS(mmap(at + written, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, fd, (off_t)written) == at + written);
  HOLDS(mmap(at + pages * 4096, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) == at + pages * 4096);
  if (times) HOLDS(mprotect(at + rest, 4096, PROT_NONE) == 0);
  HOLDS(close(fd) == 0);
  unsigned char *plain = malloc(pages * 4096);
  const int again = open(name, O_RDONLY);
  HOLDS(read(again, plain, pages * 4096) == (ssize_t)(pages * 4096));
  close(again);
  at[written + 5] = plain[written + 5] = 'x';
  at[pages * 4096 + 100] = 'y';
  const size_t skipped = times ? 4096 : 0;
  SAY("%s, %d %d", sum_of(at, rest) == sum_of(plain, rest) && sum_of(at + rest + skipped, pages * 4096 - rest - skipped) == sum_of(plain + rest + skipped, pages * 4096 - rest - skipped) ? "as it is" : "something else",
      at[pages * 4096 + 100], at[pages * 4096 + 101]);
  free(plain);
  DO(munmap(at, length));
}

BEHAVIOUR {
  dl_iterate_phdr(find, NULL);
  HOLDS(name[0] != 0);
  for (int i = 0; i < 3; ++i) map_once(i);
  const int fd = open(name, O_RDONLY);
  unsigned char *at = mmap(NULL, 20 * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  HOLDS(at != MAP_FAILED);

  DO(mmap(at + 1, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED);
  DO(mmap(at, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 5) == MAP_FAILED);
  DO(mmap(at, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, 999, 0) == MAP_FAILED);
  DO(mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED);
  HOLDS(mmap(at + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 8192) == at + 4096);
  SAY("%s", memcmp(at + 4096, at + 8192, 4096) ? "another page" : "that page twice");
}
