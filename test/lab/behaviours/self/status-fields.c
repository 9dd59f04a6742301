// /proc/self/status and stat tell of the process itself: its number, masks, threads and memory.
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"

static char room[16384];
static const char *field(const char *file, const char *key) {
  static char value[100];
  const int fd = open(file, O_RDONLY);
  const ssize_t n = read(fd, room, sizeof room - 1);
  close(fd);
  room[n > 0 ? n : 0] = 0;
  const char *at = strstr(room, key);
  value[0] = 0;
  if (at) sscanf(at + strlen(key), " %99[^\n]", value);
  return value;
}
static void handler(int signal UNUSED) {}

BEHAVIOUR {
  const char *text = NULL;
  signal(SIGUSR1, handler);
  signal(SIGUSR2, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  AT(sigprocmask(SIG_BLOCK, &set, NULL));
  AT(text = field("/proc/self/status", "\nSigBlk:"));
  SAY("blocked %s", text);
  AT(text = field("/proc/self/status", "\nSigIgn:"));
  SAY("ignored %d", (strtoul(text, NULL, 16) >> (SIGUSR2 - 1) & 1) == 1);
  AT(text = field("/proc/self/status", "\nSigCgt:"));
  SAY("caught %lx", strtoul(text, NULL, 16));
  AT(text = field("/proc/self/status", "\nPid:"));
  SAY("%d", atoi(text) == getpid());
  AT(text = field("/proc/self/status", "\nThreads:"));
  SAY("threads %s", text);
  AT(text = field("/proc/self/status", "\nUmask:"));
  SAY("umask %s", text);
  AT(text = field("/proc/self/status", "\nTracerPid:"));
  SAY("tracer %s", text);
  AT(text = field("/proc/self/status", "\nSeccomp:"));
  SAY("filter %s", text);
  char *big = malloc(30 << 20);
  memset(big, 1, 30 << 20);
  AT(text = field("/proc/self/status", "\nVmRSS:"));
  SAY("%d", atoi(text) > 30 << 10);
  long resident = 0;
  AT(field("/proc/self/statm", "x"));
  sscanf(room, "%*d %ld", &resident);
  SAY("%d", resident > 30 << 8);
  AT(field("/proc/self/stat", "x"));
  SAY("%d %c", atoi(room) == getpid(), strrchr(room, ')')[2]);
}
