#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gate.h"

namespace mosrun {

namespace {

bool read_proc(char *text, size_t size, const char *format, pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, format, pid, pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, text, size - 1);
  close(fd);
  if (got < 0) return false;
  text[got] = 0;
  return true;
}

// Fields of /proc/PID/stat from the third on: the second, the name, may hold anything but ends at the last parenthesis (proc_pid_stat(5)).
struct Stat {
  unsigned long long field[53] = {};
};
bool read_stat(pid_t pid, Stat &stat) {
  char text[1024];
  if (!read_proc(text, sizeof text, "/proc/%d/stat", pid)) return false;
  char *at = strrchr(text, ')');
  if (!at || at[1] != ' ') return false;
  at += 4;   // ") S "
  for (int i = 4; i < 53; i++) stat.field[i] = strtoull(at, &at, 10);
  return true;
}

// Of a first thread that has ended (pthread_exit(3)) the kernel tells no memory; the others have what it had.
unsigned long long pages_of(pid_t pid, const Stat &stat) {
  if (stat.field[24] != 0) return stat.field[24];
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  Stat living;
  while (dirent *entry = tasks ? readdir(tasks) : nullptr) {
    pid_t tid = atoi(entry->d_name);
    if (tid > 0 && read_stat(tid, living) && living.field[24] != 0) break;
  }
  if (tasks) closedir(tasks);
  return living.field[24];
}

// What copies a guest's memory ahead of a move, and a child between vfork(2) and its program, have the memory of another process.
bool same_memory(pid_t one, pid_t other) { return syscall(SYS_kcmp, one, other, KCMP_VM, 0, 0) == 0; }

void add_children(pid_t parent, Usage &usage, int depth) {
  char text[16384];
  if (depth > 8 || !read_proc(text, sizeof text, "/proc/%d/task/%d/children", parent)) return;
  for (char *at = text;;) {
    char *end;
    pid_t pid = static_cast<pid_t>(strtol(at, &end, 10));
    if (end == at || pid <= 0) return;
    at = end;
    Stat stat;
    if (!read_stat(pid, stat)) continue;
    if (usage.leader == 0) usage.leader = pid;
    usage.cpu_seconds += static_cast<double>(stat.field[14] + stat.field[15]) / static_cast<double>(sysconf(_SC_CLK_TCK));
    const pid_t beside = usage.leader != pid ? usage.leader : 0;
    if (!(beside && same_memory(beside, pid)) && !(depth && same_memory(parent, pid))) usage.rss_bytes += pages_of(pid, stat) * 4096;
    usage.threads += static_cast<unsigned>(stat.field[20]);
    add_children(pid, usage, depth + 1);
  }
}

}  // namespace

uint64_t start_time_of(pid_t pid) {
  Stat stat;
  return pid > 0 && read_stat(pid, stat) ? stat.field[22] : 0;
}

Usage usage_of(pid_t keeper) {
  Usage usage;
  Stat stat;
  // What ended guest processes used is in their reaper's account.
  if (read_stat(keeper, stat)) usage.cpu_seconds = static_cast<double>(stat.field[16] + stat.field[17]) / static_cast<double>(sysconf(_SC_CLK_TCK));
  add_children(keeper, usage, 0);
  return usage;
}

}  // namespace mosrun
