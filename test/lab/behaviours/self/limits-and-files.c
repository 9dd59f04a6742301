// What /proc says of limits, mounts and the rest is of the home-node and of the process.
#include "../../lab.h"
#include <sys/resource.h>

static char room[65536];
static long take(const char *name) {
  const int fd = open(name, O_RDONLY);
  long total = 0;
  for (ssize_t n; (n = read(fd, room + total, sizeof room - 1 - (size_t)total)) > 0;) total += n;
  close(fd);
  room[total] = 0;
  return total;
}

BEHAVIOUR {
  char line[80] = "";
  DO(setrlimit(RLIMIT_NOFILE, &(struct rlimit){321, 1234}));
  DO(take("/proc/self/limits") > 500);
  sscanf(strstr(room, "Max open files"), "Max open files %79[^\n]", line);
  SAY("%s", line);
  DO(take("/proc/self/oom_score_adj"));
  SAY("%s", room);
  const int fd = DO(open("/proc/self/oom_score_adj", O_WRONLY));
  DO(write(fd, "100", 3));
  DO(take("/proc/self/oom_score_adj"));
  SAY("%s", room);
  DO(take("/proc/self/mounts") > 100);
  DO(strstr(room, " /proc proc ") != NULL);
  DO(take("/proc/self/mountinfo") > 100);
  DO(take("/proc/self/cgroup") > 2);
  DO(take("/proc/self/loginuid") >= 0);
  DO(take("/proc/self/uid_map"));
  DO(take("/proc/self/setgroups"));
  SAY("%s", room);
  DO(take("/proc/self/coredump_filter"));
  DO(take("/proc/self/personality"));
}
