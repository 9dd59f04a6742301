// /proc/self/status, statm and stat tell how much memory the program has, without bringing it home.
#include "../../lab.h"

static char room[16384];
static void take(const char *name) {
  const int fd = open(name, O_RDONLY);
  const ssize_t n = read(fd, room, sizeof room - 1);
  close(fd);
  room[n > 0 ? n : 0] = 0;
}
static long number(const char *key) {
  const char *at = strstr(room, key);
  return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

BEHAVIOUR {
  char name[60];
  char *big = mmap(NULL, 24 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *shared = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(big, 1, 24 << 20);
  long of_status = 0, of_statm[7] = {0}, of_stat = 0, resident = 0;
  AT(take("/proc/self/status"));
  const char *keys[] = {"\nPid:", "\nTgid:", "\nThreads:", "\nVmSize:", "\nVmLck:", "\nVmData:", "\nVmStk:", "\nVmExe:", "\nVmLib:", "\nVmSwap:"};
  for (size_t i = 2; i < sizeof keys / sizeof *keys; ++i) SAY("%s %ld", keys[i] + 1, number(keys[i]));
  HOLDS(number(keys[0]) == getpid() && number(keys[1]) == getpid());
  HOLDS(number("\nVmPeak:") >= number("\nVmSize:") && number("\nVmHWM:") >= number("\nVmRSS:"));
  HOLDS(number("\nVmRSS:") == number("\nRssAnon:") + number("\nRssFile:") + number("\nRssShmem:"));
  HOLDS(number("\nVmRSS:") > 24 << 10 && number("\nVmRSS:") < 28 << 10 && number("\nVmPTE:") > 0);
  of_status = number("\nVmSize:");
  AT(take("/proc/self/statm"));
  for (char *at = room, i = 0; i < 7; ++i) of_statm[(int)i] = strtol(at, &at, 10);
  SAY("%ld %ld %ld %ld %ld", of_statm[0], of_statm[3], of_statm[4], of_statm[5], of_statm[6]);
  HOLDS(of_statm[0] == of_status / 4 && of_statm[1] > 24 << 8 && of_statm[1] < 28 << 8 && of_statm[2] < of_statm[1]);
  snprintf(name, sizeof name, "/proc/%d/stat", getpid());
  AT(take(name));
  const char *at = strrchr(room, ')');
  char state = 0;
  HOLDS(sscanf(at, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %ld %ld", &state, &of_stat, &resident) == 3);
  SAY("%c %ld %d", state, of_stat, resident > 24 << 8 && resident < 28 << 8);
  HOLDS(of_stat == of_status << 10 && atoi(room) == getpid());
  AT(munmap(big, 24 << 20));
  AT(take("/proc/self/status"));
  SAY("%ld less", of_status - number("\nVmSize:"));
  HOLDS(number("\nVmHWM:") > 24 << 10);
  AT(munmap(shared, 1 << 20));
}
