// Heap, break, growing stack, mappings of every kind and what is done to them, registers of the vector unit, libraries loaded late.
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <immintrin.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { page = 4096 };

static void heap_and_break(void) {
  char *blocks[64];
  for (int i = 0; i < 64; ++i) blocks[i] = memset(malloc((size_t)(i + 1) * 3000), i, (size_t)(i + 1) * 3000);
  for (int i = 0; i < 64; ++i) CHECK(blocks[i][(i + 1) * 3000 - 1] == i);
  for (int i = 0; i < 64; ++i) free(blocks[i]);
  char *top = sbrk(10 * page);
  CHECK(top != (void *)-1 && sbrk(0) == top + 10 * page);
  memset(top, 7, 10 * page);
  CHECK(sbrk(-10 * page) == top + 10 * page && sbrk(0) == top);
}

static int deep(int depth) {
  volatile char local[2000];
  memset((char *)local, depth, sizeof local);
  const int below = depth == 0 ? 0 : deep(depth - 1);
  return below + (local[1999] == (char)depth);
}

static void mappings(void) {
  char *map = mmap(NULL, 16 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 16; ++i) map[i * page] = (char)(i + 1);
  spin(100000);
  CHECK(mprotect(map + 4 * page, page, PROT_READ) == 0 && map[4 * page] == 5);
  CHECK(munmap(map + 8 * page, page) == 0);
  char *again = mmap(map + 8 * page, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK(again == map + 8 * page && again[0] == 0);
  CHECK(madvise(map + 10 * page, page, MADV_DONTNEED) == 0 && map[10 * page] == 0 && map[11 * page] == 12);
  char *moved = mremap(map, 4 * page, 8 * page, MREMAP_MAYMOVE);
  CHECK(moved != MAP_FAILED && moved[0] == 1 && moved[3 * page] == 4 && moved[7 * page] == 0);
  munmap(moved, 8 * page);
  if (moved != map) CHECK(map[5 * page] == 6);
  unsigned char present[2];
  CHECK(mincore(map + 11 * page, 2 * page, present) == 0);
  CHECK(msync(map + 12 * page, page, MS_ASYNC) == 0);
  munmap(map + 4 * page, 12 * page);
}

static void files(void) {
  char name[] = "memory-XXXXXX", text[2 * page + 100];
  const int fd = mkstemp(name);
  for (size_t i = 0; i < sizeof text; ++i) text[i] = (char)(i % 251);
  CHECK(write(fd, text, sizeof text) == sizeof text);
  char *own = mmap(NULL, sizeof text, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  char *part = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, page);
  CHECK(own != MAP_FAILED && memcmp(own, text, sizeof text) == 0 && own[sizeof text] == 0);
  CHECK(part != MAP_FAILED && memcmp(part, text + page, page) == 0);
  own[5] = 'x';
  CHECK(pread(fd, text, 10, 0) == 10 && text[5] == 5);
  CHECK(own[5] == 'x' && own[page] == (char)(page % 251));
  char *shared = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(shared != MAP_FAILED && shared[7] == 7);
  munmap(own, sizeof text);
  munmap(part, page);
  munmap(shared, page);
  close(fd);
  unlink(name);
}

static void shared_with_children(void) {
  volatile int *shared = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int own = 1;
  shared[0] = 1;
  const pid_t child = fork();
  if (child == 0) {
    own = 2;
    shared[0] = 5 + own;
    _exit(0);
  }
  waitpid(child, NULL, 0);
  CHECK(shared[0] == 7 && own == 1);
  munmap((void *)shared, page);
}

__attribute__((target("avx2"))) static void wide(void) {
  __m256d a = _mm256_set_pd(1, 2, 3, 4);
  const __m256d one = _mm256_set1_pd(1);
  for (int i = 0; i < 2000000; ++i) a = _mm256_add_pd(a, one);
  double out[4];
  _mm256_storeu_pd(out, a);
  CHECK(out[0] == 2000004 && out[3] == 2000001);
}

static void vectors(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) wide();
  long double x = 1;
  for (int i = 0; i < 300000; ++i) x = x * 1.000001L;
  CHECK(x > 1.3498L && x < 1.3499L);
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(saved | 0x6000);  // round towards zero
  spin(200000);
  const unsigned control = _mm_getcsr();
  CHECK((control & 0x6000) == 0x6000);
  _mm_setcsr(saved);
}

static void libraries(void) {
  void *math = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
  CHECK(math != NULL);
  if (math == NULL) return;
  double (*up)(double);
  *(void **)&up = dlsym(math, "ceil");
  CHECK(up != NULL && up(2.5) == 3.0);
  dlclose(math);
  CHECK(dlopen("libabsent.so.9", RTLD_NOW) == NULL);
}

static void bad_pointers(void) {
  char *volatile bad = (char *)8;
  const int fd = open("/dev/zero", O_RDONLY);
  CHECK(read(fd, bad, 10) == -1 && errno == EFAULT);
  CHECK(open(bad, O_RDONLY) == -1 && errno == EFAULT);
  CHECK(write(1, bad, 10) == -1 && errno == EFAULT);
  char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(two + page, page, PROT_NONE);
  const ssize_t got = read(fd, two + page - 100, 200);
  CHECK(got == 100 || (got == -1 && errno == EFAULT));
  munmap(two, 2 * page);
  close(fd);
}

int main(int argc, char **argv) {
  const double end = now() + (argc > 1 ? atof(argv[1]) : 0);
  do {
    heap_and_break();
    CHECK(deep(1000) == 1001);
    mappings();
    files();
    shared_with_children();
    vectors();
    libraries();
    bad_pointers();
  } while (now() < end);
  return finish();
}
