#include "engine/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

std::vector<Region> read_regions(pid_t pid, bool with_flags) {
  std::vector<Region> regions;
  std::string text;
  if (!read_file(proc_path(pid, with_flags ? "smaps" : "maps"), text)) return regions;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
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

bool read_stat(pid_t pid, ProcessStat &stat) {
  std::string text;
  if (!read_file(proc_path(pid, "stat"), text)) return false;
  size_t close_paren = text.rfind(')');   // the command may contain anything
  if (close_paren == std::string::npos) return false;
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

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> list;
  DIR *dir = opendir(proc_path(pid, "task").c_str());
  if (!dir) return list;
  while (dirent *entry = readdir(dir))
    if (int tid = atoi(entry->d_name)) list.push_back(tid);
  closedir(dir);
  return list;
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
  return process_vm_readv(pid, &local, 1, &remote, 1, 0) == ssize_t(size);
}

bool write_memory(pid_t pid, Remote to, const void *from, size_t size) {
  int fd = open(proc_path(pid, "mem").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool whole = pwrite(fd, from, size, off_t(to.value)) == ssize_t(size);
  close(fd);
  return whole;
}

int64_t clock_ns(int clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

}  // namespace mosrun
