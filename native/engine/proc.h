// What /proc says about a process (proc(5)).
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <string>
#include <vector>

namespace mosrun {

// An address in another process: not a pointer, so that it cannot be followed by mistake.
struct Remote {
  uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
};
inline Remote operator+(Remote a, uint64_t n) { return {a.value + n}; }

struct Region {
  uint64_t start, end;
  bool read, write, execute, shared;
  uint64_t offset;
  std::string device;
  uint64_t inode;
  std::string name;
  std::string flags;   // VmFlags, if smaps was read
};

struct ProcessStat {
  char state = '?';
  uint64_t start_time = 0;                // clock ticks after boot
  uint64_t cpu_ticks = 0;
  uint64_t start_code = 0, end_code = 0, start_stack = 0, start_data = 0, end_data = 0, start_brk = 0, arg_start = 0, arg_end = 0, env_start = 0, env_end = 0;
};

std::string proc_path(pid_t pid, const char *name);
bool read_file(const std::string &path, std::string &text);
// Its flags (F_GETFL), as /proc/PID/fdinfo/N tells them of `fdinfo`; -1: there is no such descriptor.
long open_flags(const std::string &fdinfo);
std::vector<Region> read_regions(pid_t pid, bool with_flags);
bool read_stat(pid_t pid, ProcessStat &stat);
// A first thread that has ended while others live (pthread_exit(3)) is a zombie without memory and files. Below it is no thread any more, and
// what belongs to all threads is asked of another: the number of any thread does for /proc/PID and for process_vm_readv(2).
std::vector<pid_t> threads_of(pid_t pid);   // the first thread first, if it lives
pid_t living_thread(pid_t pid);           // the first thread if it lives
int open_pidfd(pid_t pid, pid_t tid);     // gives the files of a thread that is not the first since Linux 6.9 only; -1 and errno before
int copy_descriptor(pid_t pid, pid_t tid, int fd);   // of that thread, by a pidfd; -1 and errno
// The value of `key:` in /proc/PID/status, or an empty string.
std::string status_field(pid_t pid, const char *key);
pid_t innermost_pid(pid_t pid);           // its number as it sees itself
pid_t innermost_tid(pid_t pid, pid_t tid);

uint64_t run_time(pid_t pid);              // of all its threads, ns: the same again if none of them has run meanwhile

bool read_memory(pid_t pid, Remote from, void *to, size_t size);
bool write_memory(pid_t pid, Remote to, const void *from, size_t size);   // also where the process itself may not write

int64_t clock_ns(int clock);

}  // namespace mosrun
