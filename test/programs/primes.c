// A static program without a dynamic linker: computes, prints, writes a file, sleeps.  primes DIRECTORY ROUNDS
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned long count_primes(unsigned long from, unsigned long to) {
  unsigned long found = 0;
  for (unsigned long n = from; n < to; ++n) {
    int prime = n > 1;
    for (unsigned long d = 2; prime && d * d <= n; ++d) prime = n % d != 0;
    found += (unsigned long)prime;
  }
  return found;
}

int main(int argc, char** argv) {
  if (argc != 3 || chdir(argv[1]) != 0) return 1;
  double sum = 0;
  for (unsigned long round = 0; round < strtoul(argv[2], NULL, 10); ++round) {
    const unsigned long found = count_primes(1000000 + round * 10000, 1000000 + round * 10000 + 10000);
    sum += sqrt((double)found) + sin((double)round);
    char* block = malloc(1 << 20);  // above the mmap threshold: mapped and unmapped each time
    memset(block, (int)round, 1 << 20);
    FILE* file = fopen("counts", "a");
    if (file == NULL || block == NULL) return 1;
    fprintf(file, "%lu %lu %d\n", round, found, block[round]);
    fclose(file);
    free(block);
    const struct timespec pause = {0, 1000000};
    struct timespec left = {0, 0};
    if (nanosleep(&pause, &left) != 0) printf("a sleep ended early: %s\n", strerror(errno));
    if (round % 50 == 0) printf("%lu: %lu %.9f %s\n", round, found, sum, access("absent", F_OK) == 0 ? "?" : strerror(errno)), fflush(stdout);
  }
  printf("sum %.9f\n", sum);
  return 42;
}
