#include "engine/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "syscalls.h"

namespace mosrun {

bool read_control(pid_t pid, Remote base, Control &control) {
  return read_memory(pid, base + kControlOffset, &control, sizeof control) && control.magic == kControlMagic && control.base == base.value;
}

bool find_control(pid_t pid, ProcessStatus &status) {
  status = {};
  for (const Region &r : read_regions(pid, false)) {
    if (r.inode || r.shared || !r.execute || !r.name.empty() || r.start % kSlotSize) continue;
    BlobHeader header{};
    if (!read_memory(pid, {r.start}, &header, sizeof header) || header.magic != kBlobMagic) continue;
    status.base = {r.start};
    // A mover that died while it wrote: nobody has been in there.
    if (!read_control(pid, status.base, status.control)) {
      status.control = {};
      status.control.slots = uint32_t(r.end - r.start > kSlotsOffset ? (r.end - r.start - kSlotsOffset) / kSlotSize : 0);
    }
    switch (Phase(status.control.phase)) {
      case Phase::leaving: status.state = "leaving"; break;
      case Phase::away: status.state = "away"; break;
      case Phase::returning: status.state = "returning"; break;
      default: status.state = "home";
    }
    return true;
  }
  return true;
}

const char *system_call_name(int nr) {
  return nr < 0 || unsigned(nr) >= syscalls::count ? "" : syscalls::names + syscalls::name_at[nr];
}

namespace {

bool starts(const std::string &text, const char *with) { return !text.compare(0, strlen(with), with); }

// Does any other process map the same shared memory?
bool mapped_elsewhere(pid_t pid, const Region &region) {
  DIR *dir = opendir("/proc");
  if (!dir) return true;
  bool found = false;
  while (dirent *entry = readdir(dir)) {
    pid_t other = atoi(entry->d_name);
    if (!other || other == pid) continue;
    for (const Region &r : read_regions(other, false))
      if (r.shared && r.inode == region.inode && r.device == region.device) found = true;
    if (found) break;
  }
  closedir(dir);
  return found;
}

void check_region(pid_t pid, const Region &r, std::vector<std::string> &why) {
  if (r.name == "[vsyscall]" || r.name == "[vdso]" || starts(r.name, "[vvar")) return;
  auto has = [&](const char *flag) { return r.flags.find(std::string(" ") + flag + " ") != std::string::npos; };
  if (has("ht")) why.push_back("it uses huge pages from the reserve of this node (" + r.name + ")");
  if (has("um") || has("uw")) why.push_back("it handles page faults itself (userfaultfd)");
  if (has("ss")) why.push_back("it uses a shadow stack");
  if (has("sl")) why.push_back("it has sealed mappings");
  if (starts(r.name, "anon_inode:") || starts(r.name, "/[aio]") || r.name == "[uprobes]" || starts(r.name, "/dev/") ) {
    if (!starts(r.name, "/dev/zero") && !starts(r.name, "/dev/shm/")) return why.push_back("it maps " + r.name), void();
  }
  if (!r.shared) return;
  if (starts(r.name, "/dev/zero (deleted)")) {
    // Also of a stopped process, which may have forked since it was asked first: its child would go on with memory left behind.
    if (mapped_elsewhere(pid, r)) why.push_back("it shares memory with another process");
  } else if (starts(r.name, "/SYSV") || starts(r.name, "/memfd:")) {
    why.push_back("it maps shared memory (" + r.name + ")");
  } else if (r.write) {
    why.push_back("it maps a file shared and writable (" + r.name + ")");
  }
}

}  // namespace

std::vector<std::string> reasons_to_stay(pid_t pid, bool quick) {
  std::vector<std::string> why;
  ProcessStat stat;
  if (!read_stat(pid, stat)) return {"there is no such process"};
  if (stat.state == 'Z' || stat.state == 'X') return {"it has ended"};
  if (stat.state == 'T') why.push_back("it is stopped");
  std::vector<pid_t> threads = threads_of(pid);
  pid_t living = threads.empty() ? pid : threads.front();
  std::string tracer = status_field(living, "TracerPid");
  if (!tracer.empty() && tracer != "0" && tracer != std::to_string(getpid())) why.push_back("it is being traced by process " + tracer);
  if (status_field(living, "Seccomp") == "2") why.push_back("it runs under a system-call filter of its own (seccomp)");
  if (threads.size() + (living != pid) > kMaxSlots) why.push_back("it has more than " + std::to_string(kMaxSlots) + " threads");
  int pidfd = living == pid ? -1 : open_pidfd(pid, living);
  if (pidfd >= 0) close(pidfd);
  else if (living != pid && errno == EINVAL) why.push_back("its first thread has ended, and the kernel of this node is older than Linux 6.9");
  std::vector<Region> regions = read_regions(pid, !quick);
  if (regions.empty()) why.push_back("its memory map cannot be read");
  for (const Region &r : regions) check_region(pid, r, why);
  return why;
}

}  // namespace mosrun
