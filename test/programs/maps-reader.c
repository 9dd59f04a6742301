// Opens its own list of mappings while two threads change it, when it is told to (SIGUSR1), and says how many opens failed.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLACES 64
#define SIZE 0x10000

static volatile sig_atomic_t told, over;
static void tell(int number) { told = number; }

static void *map(void *first) {
  char *places[PLACES] = {0};
  uint32_t seed = (uint32_t)(uintptr_t)first;
  while (!over) {
    seed = seed * 1103515245 + 12345;
    char **place = &places[seed >> 16 & (PLACES - 1)];
    if (*place) {
      munmap(*place, SIZE);
      *place = NULL;
    } else {
      *place = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      mprotect(*place + SIZE / 4 * (seed >> 8 & 3), SIZE / 4, PROT_NONE);
    }
  }
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  signal(SIGUSR1, tell);
  for (uintptr_t i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, map, (void *)(i + 1));
  puts("ready");
  fflush(stdout);
  while (!told) usleep(10000);
  int failed = 0;
  for (int i = 0; i < 1500; ++i) {
    const int fd = open("/proc/self/maps", O_RDONLY);
    if (fd < 0) ++failed;
    else close(fd);
  }
  printf("%d failed\n", failed);
  over = 1;
}
