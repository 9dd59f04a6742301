#include "engine/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace mosrun {

std::string proc_path(pid_t pid, const char *name) { return "/proc/" + std::to_string(pid) + "/" + name; }

bool read_file(const std::string &path, std::string &text) {
  text.clear();
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char part[32768];
  ssize_t n;
  while ((n = read(fd, part, sizeof part)) > 0) text.append(part, size_t(n));
  close(fd);
  return n == 0;
}

long open_flags(const std::string &fdinfo) {
  std::string text;
  const size_t at = read_file(fdinfo, text) ? text.find("flags:\t") : std::string::npos;
  return at == std::string::npos ? -1 : strtol(text.c_str() + at + 7, nullptr, 8);
}

static std::vector<pid_t> tasks_of(pid_t pid) {
  std::vector<pid_t> list;
  DIR *dir = opendir(proc_path(pid, "task").c_str());
  if (!dir) return list;
  while (dirent *entry = readdir(dir))
    if (int tid = atoi(entry->d_name)) list.push_back(tid);
  closedir(dir);
  return list;
}

// Asks the other threads only if the first has nothing to say, or is just about to end.
template <class Attempt> static bool by_some_thread(pid_t pid, Attempt attempt) {
  if (attempt(pid)) return true;
  for (pid_t tid : tasks_of(pid))
    if (tid != pid && attempt(tid)) return true;
  return false;
}

std::vector<Region> read_regions(pid_t pid, bool with_flags) {
  std::vector<Region> regions;
  std::string text;
  const char *name_of_list = with_flags ? "smaps" : "maps";
  if (!by_some_thread(pid, [&](pid_t tid) { return read_file(proc_path(tid, name_of_list), text) && !text.empty(); })) return regions;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    else text[end] = 0;                        // or sscanf looks for the end of all the text, each time
    const char *line = text.c_str() + at;
    unsigned long start, stop, offset, inode;
    char mode[8], device[24];
    int name = 0;
    if (sscanf(line, "%lx-%lx %7s %lx %23s %lu %n", &start, &stop, mode, &offset, device, &inode, &name) == 6) {
      size_t from = at + size_t(name);
      regions.push_back({start, stop, mode[0] == 'r', mode[1] == 'w', mode[2] == 'x', mode[3] == 's', offset, device, inode, from < end ? text.substr(from, end - from) : "", ""});
    } else if (!regions.empty() && !strncmp(line, "VmFlags:", 8)) {
      regions.back().flags = " " + text.substr(at + 8, end - at - 8) + " ";
    }
    at = end + 1;
  }
  return regions;
}

// What /proc/PID/stat says of one thread, and of the memory as that thread has it.
static bool read_one_stat(pid_t pid, ProcessStat &stat) {
  std::string text;
  if (!read_file(proc_path(pid, "stat"), text)) return false;
  size_t close_paren = text.rfind(')');   // the command may contain anything
  if (close_paren == std::string::npos || close_paren + 2 >= text.size()) return false;
  std::vector<uint64_t> field(53);
  const char *p = text.c_str() + close_paren + 2;
  stat.state = *p;
  char *end = const_cast<char *>(p) + 1;
  for (int i = 4; i <= 52; ++i) field[size_t(i)] = strtoull(end, &end, 10);
  stat.cpu_ticks = field[14] + field[15];
  stat.start_time = field[22];
  stat.start_code = field[26];
  stat.end_code = field[27];
  stat.start_stack = field[28];
  stat.start_data = field[45];
  stat.end_data = field[46];
  stat.start_brk = field[47];
  stat.arg_start = field[48];
  stat.arg_end = field[49];
  stat.env_start = field[50];
  stat.env_end = field[51];
  return true;
}

bool read_stat(pid_t pid, ProcessStat &stat) {
  if (!read_one_stat(pid, stat)) return false;
  if (stat.state != 'Z') return true;
  for (pid_t tid : tasks_of(pid)) {
    ProcessStat living;
    if (tid == pid || !read_one_stat(tid, living) || living.state == 'Z' || living.state == 'X' || !living.end_code) continue;
    living.start_time = stat.start_time;
    living.cpu_ticks = stat.cpu_ticks;
    stat = living;
    break;
  }
  return true;
}

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> list = tasks_of(pid);
  ProcessStat first;
  if (list.size() > 1 && read_one_stat(pid, first) && first.state == 'Z') std::erase(list, pid);
  return list;
}

pid_t living_thread(pid_t pid) {
  std::vector<pid_t> list = threads_of(pid);
  return list.empty() ? pid : list.front();
}

int open_pidfd(pid_t pid, pid_t tid) { return int(syscall(SYS_pidfd_open, tid, tid == pid ? 0 : O_EXCL)); }   // PIDFD_THREAD

int copy_descriptor(pid_t pid, pid_t tid, int fd) {
  int pidfd = open_pidfd(pid, tid);
  if (pidfd < 0) return -1;
  int copy = int(syscall(SYS_pidfd_getfd, pidfd, fd, 0)), error = errno;
  close(pidfd);
  errno = error;
  return copy;
}

uint64_t run_time(pid_t pid) {
  uint64_t sum = 0;
  for (pid_t tid : tasks_of(pid)) {
    std::string text;
    if (read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/schedstat", text)) sum += strtoull(text.c_str(), nullptr, 10);
    else sum += uint64_t(clock_ns(CLOCK_MONOTONIC));         // a kernel that does not tell (CONFIG_SCHED_INFO)
  }
  return sum;
}

static std::string field_of(const std::string &file, const char *key) {
  std::string text;
  if (!read_file(file, text)) return "";
  std::string label = "\n" + std::string(key) + ":\t";
  size_t at = text.find(label);
  if (at == std::string::npos) return "";
  at += label.size();
  return text.substr(at, text.find('\n', at) - at);
}

std::string status_field(pid_t pid, const char *key) { return field_of(proc_path(pid, "status"), key); }

pid_t innermost_tid(pid_t pid, pid_t tid) {
  std::string list = field_of("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/status", "NSpid");
  size_t last = list.find_last_of('\t');
  return list.empty() ? tid : atoi(list.c_str() + (last == std::string::npos ? 0 : last + 1));
}
pid_t innermost_pid(pid_t pid) { return innermost_tid(pid, pid); }

bool read_memory(pid_t pid, Remote from, void *to, size_t size) {
  iovec local{to, size}, remote{reinterpret_cast<void *>(from.value), size};
  ssize_t n = -1;
  by_some_thread(pid, [&](pid_t tid) { return (n = process_vm_readv(tid, &local, 1, &remote, 1, 0)) >= 0 || errno != ESRCH; });
  return n == ssize_t(size);
}

bool write_memory(pid_t pid, Remote to, const void *from, size_t size) {
  ssize_t n = -1;
  by_some_thread(pid, [&](pid_t tid) {
    int fd = open(proc_path(tid, "mem").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno != ESRCH;
    n = pwrite(fd, from, size, off_t(to.value));
    close(fd);
    return n != 0;                        // older kernels open the file of a thread without memory
  });
  return n == ssize_t(size);
}

int64_t clock_ns(int clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

}  // namespace mosrun
