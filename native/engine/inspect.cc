#include "engine/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "stub/system-files.h"
#include "stub/views.h"
#include "syscalls.h"

namespace mosrun {

bool read_control(pid_t pid, Remote base, Control &control) {
  return read_memory(pid, base + kControlOffset, &control, sizeof control) && control.magic == kControlMagic && control.base == base.value;
}

static const char *state_of(Phase phase) {
  switch (phase) {
    case Phase::leaving: return "leaving";
    case Phase::away: return "away";
    case Phase::returning: return "returning";
    case Phase::moving: return "moving";
    default: return "home";
  }
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
    status.state = state_of(Phase(status.control.phase));
    return true;
  }
  return true;
}

Glance glance_at(pid_t pid, Remote &base) {
  static_assert(offsetof(Control, phase) == 16);
  struct { uint64_t magic, base; uint32_t phase; } head{};
  Glance glance;
  const bool there = base && read_memory(pid, base + kControlOffset, &head, sizeof head) && head.magic == kControlMagic && head.base == base.value;
  if (there) {
    glance.state = state_of(Phase(head.phase));
  } else {
    ProcessStatus status;
    base = find_control(pid, status) ? status.base : Remote{};
    if (!base) return glance;
    glance.state = status.state;
  }
  std::string text;
  if (!read_file(proc_path(pid, "status"), text)) return glance;
  const size_t letter = text.find("\nState:\t"), tracer = text.find("\nTracerPid:\t");
  if (letter != std::string::npos) glance.letter = text[letter + 8];
  if (tracer != std::string::npos) glance.tracer = atoi(text.c_str() + tracer + 12);
  return glance;
}

const char *system_call_name(int nr) {
  return nr < 0 || unsigned(nr) >= syscalls::count ? "" : syscalls::names + syscalls::name_at[nr];
}

namespace {

bool starts(const std::string &text, const char *with) { return !text.compare(0, strlen(with), with); }

// The entry that a mapping has in /proc/PID (proc(5)).
struct MapFile { char text[64]; };
MapFile map_file(const Region &r) {
  MapFile entry;
  snprintf(entry.text, sizeof entry.text, "map_files/%lx-%lx", static_cast<unsigned long>(r.start), static_cast<unsigned long>(r.end));
  return entry;
}

// Was the file of a mapping opened for writing? The mode of its entry shows it (fs/proc/base.c, proc_map_files_instantiate).
bool may_be_written(pid_t pid, const Region &r) {
  struct stat entry;
  return !lstat(proc_path(pid, map_file(r).text).c_str(), &entry) && (entry.st_mode & S_IWUSR);
}

// Its deputy has such views for its own use.
bool is_away(pid_t pid) {
  ProcessStatus status;
  find_control(pid, status);
  return status.base && strcmp(status.state, "home");
}

template <class Found> bool any_process(Found found) {
  DIR *dir = opendir("/proc");
  if (!dir) return true;
  bool any = false;
  while (dirent *entry = any ? nullptr : readdir(dir))
    if (pid_t pid = atoi(entry->d_name)) any = found(pid);
  closedir(dir);
  return any;
}

bool same_file(const Region &a, const Region &b) { return a.inode == b.inode && a.device == b.device; }

// Does any other process map the same memory?
bool mapped_elsewhere(pid_t pid, const Region &region) {
  return any_process([&](pid_t other) {
    if (other == pid) return false;
    for (const Region &r : read_regions(other, false))
      if (same_file(r, region)) return true;
    return false;
  });
}

// Has any process a descriptor of it, or a socket in which one may be under way (SCM_RIGHTS)? Then others may read, write and map it at any time.
bool held_open(const Region &region) {
  return any_process([&](pid_t pid) {
    std::string list = proc_path(pid, "fd");
    DIR *dir = opendir(list.c_str());
    if (!dir) return false;
    bool held = false;
    while (dirent *entry = held ? nullptr : readdir(dir)) {
      std::string text;
      char target[80];
      ssize_t n = readlink((list + "/" + entry->d_name).c_str(), target, sizeof target - 1);
      if (n <= 0) continue;
      target[n] = 0;
      struct stat status;
      if (!strncmp(target, "/memfd:", 7)) held = stat((list + "/" + entry->d_name).c_str(), &status) || status.st_ino == region.inode;
      else if (!strncmp(target, "socket:", 7)) held = read_file(proc_path(pid, "fdinfo") + "/" + entry->d_name, text) && text.find("scm_fds:\t") != std::string::npos && text.find("scm_fds:\t0") == std::string::npos;
    }
    closedir(dir);
    return held;
  });
}

bool has_flag(const Region &r, const char *flag) { return r.flags.find(std::string(" ") + flag + " ") != std::string::npos; }

// A memfd whose descriptor is closed, as just-in-time compilers use it to see their code twice, is memory of this process alone.
void check_memfd(pid_t pid, const Region &region, std::vector<std::string> &why) {
  const std::string reason = "it maps shared memory (" + region.name + ")";
  bool writable = true;
  for (const Region &r : read_regions(pid, true)) {
    if (!same_file(r, region)) continue;
    if (!r.shared) return why.push_back(reason + " both shared and privately"), void();
    writable = writable && has_flag(r, "mw");
  }
  if (!writable) return why.push_back(reason + ", sealed against writing"), void();
  if (mapped_elsewhere(pid, region)) return why.push_back(reason + " that another process maps"), void();
  if (held_open(region)) why.push_back(reason + " of which a descriptor is open");
}

bool only_reads(pid_t living, const char *descriptor) {
  const long flags = open_flags(proc_path(living, (std::string("fdinfo/") + descriptor).c_str()));
  return flags >= 0 && (flags & (O_ACCMODE | O_PATH)) == O_RDONLY;
}

// The name of a descriptor of what /proc shows of the process itself (stub/views.h), and is not shown of it elsewhere.
std::string own_view(pid_t pid, const std::vector<pid_t> &threads, std::vector<ShownView> &shown) {
  const pid_t living = threads.empty() ? pid : threads.front();
  const std::string directory = proc_path(living, "fd");
  std::string found;
  struct stat proc{};
  stat("/proc", &proc);
  DIR *dir = opendir(directory.c_str());
  while (dirent *entry = dir && found.empty() ? readdir(dir) : nullptr) {
    char name[256];
    const ssize_t n = readlinkat(dirfd(dir), entry->d_name, name, sizeof name);
    const pid_t number = n > 0 ? viewed_process(name, size_t(n)) : 0;
    if (!number) continue;
    auto is = [&](pid_t tid) { return number == tid || number == innermost_tid(pid, tid); };
    const std::string path = directory + "/" + entry->d_name;
    struct statfs filesystem;
    struct stat status;
    if (statfs(path.c_str(), &filesystem) || filesystem.f_type != long(kProcFilesystem)) continue;
    if (!is(pid) && std::none_of(threads.begin(), threads.end(), is)) continue;
    const Shown how = shown_by(name, size_t(n));
    const bool shows = how != Shown::none && (how == Shown::maps || is(pid)) && only_reads(living, entry->d_name) && !stat(path.c_str(), &status) && status.st_dev == proc.st_dev;
    const bool known = shows && std::any_of(shown.begin(), shown.end(), [&](const ShownView &v) { return v.device == status.st_dev && v.number == status.st_ino; });
    if (known) continue;
    if (shows && shown.size() < kShownViews) shown.push_back({uint32_t(how), 0, status.st_dev, status.st_ino});
    else found.assign(name, size_t(n));
  }
  if (dir) closedir(dir);
  return found;
}

// A read lease on the file of a mapping (fcntl(2)): the descriptor, or -1 with errno. EAGAIN: somebody has it open for writing, and its pages would be
// old where the process is going. EINVAL: there are none on its file system, as on a network's, where others write unseen at home too.
int lease(pid_t pid, const Region &r) {
  int fd = open(proc_path(pid, map_file(r).text).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return -1;
  signal(SIGIO, SIG_IGN);                                       // somebody opens it at this moment
  signal(kControlSignal, SIG_IGN);                              // or a moment before it is another's to hear of
  if (!fcntl(fd, F_SETLEASE, F_RDLCK)) return fd;
  const int error = errno;
  close(fd);
  return errno = error, -1;
}

// The system's files are taken to stay as they are; of root's programs only those in their places, for they may write to all.
bool is_of_system(pid_t pid, const Region &r) {
  struct stat process, file;
  if (stat(proc_path(pid, "").c_str(), &process) || stat(proc_path(pid, map_file(r).text).c_str(), &file)) return is_place_of_system(r.name.c_str());
  return !file.st_uid && !(file.st_mode & (S_IWGRP | S_IWOTH)) && (process.st_uid || is_place_of_system(r.name.c_str()));
}

std::string why_not_leased(pid_t pid, const Region &r, int *taken = nullptr) {
  if (is_of_system(pid, r)) return "";
  const int fd = lease(pid, r);
  if (fd >= 0 && taken) return *taken = fd, "";
  if (fd >= 0) close(fd);
  if (fd >= 0 || errno == EINVAL) return "";
  if (errno == ENOENT && !taken) return "";                  // it runs, and has unmapped it since; looked at again when it stands still
  if (errno == EAGAIN) return "it maps a file shared that is open for writing (" + r.name + ")";
  return "it maps a file shared, and whoever writes to that would not be noticed (" + r.name + ": " + strerror(errno) + ")";
}

void check_region(pid_t pid, const Region &r, std::vector<std::string> &why) {
  if (r.name == "[vsyscall]" || r.name == "[vdso]" || starts(r.name, "[vvar")) return;
  auto has = [&](const char *flag) { return has_flag(r, flag); };
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
  } else if (starts(r.name, "/memfd:")) {
    check_memfd(pid, r, why);
  } else if (starts(r.name, "/SYSV")) {
    why.push_back("it maps shared memory (" + r.name + ")");
  } else if (!r.write && r.inode && may_be_written(pid, r)) {
    why.push_back("it maps a file shared that it has opened for writing (" + r.name + ")");
  } else if (r.write) {
    why.push_back("it maps a file shared and writable (" + r.name + ")");
  } else if (std::string reason = why_not_leased(pid, r); !reason.empty()) {
    why.push_back(reason);
  }
}

}  // namespace

// A child's number at the other end is the one its parent knows, but such a child has another itself. Before the first there is nothing to read.
static bool children_elsewhere(pid_t pid) {
  char own[64] = "", theirs[64] = "";
  const std::string ns = "/proc/" + std::to_string(pid) + "/ns/";
  if (readlink((ns + "pid").c_str(), own, sizeof own - 1) < 0) return false;
  return readlink((ns + "pid_for_children").c_str(), theirs, sizeof theirs - 1) < 0 || strcmp(own, theirs);
}

static const std::string kTracer = "it is being traced by process ", kMover = "it is being attended to by process ", kView = "it has a view of itself open (";

bool is_mover(pid_t pid) {
  std::string name;
  // One that has ended since it was seen traces no longer: like a mover, it is soon out of the way.
  return !read_file(proc_path(pid, "comm"), name) || name == "mosmove\n";
}

bool may_pass(const std::string &reason) { return starts(reason, kMover.c_str()) || starts(reason, kView.c_str()); }

pid_t shares_memory_with(pid_t pid) {
  if (syscall(SYS_kcmp, pid, pid, KCMP_VM, 0, 0) < 0 && errno != ESRCH) return -1;
  pid_t found = -1;                                             // where /proc cannot be read
  bool any = any_process([&](pid_t other) {
    bool same = other != pid && !syscall(SYS_kcmp, pid, other, KCMP_VM, 0, 0);
    if (same) found = other;
    return same;
  });
  return any ? found : 0;
}

// Moved by itself it would no longer tell its parent what became of its execve (posix_spawn).
const char why_shared_away[] = "it shares its memory with its parent until it has executed a program (vfork)";

std::string why_shared(pid_t other) {
  if (other < 0) return "the kernel of this node cannot tell whether it shares its memory (kcmp(2) is missing)";
  return "it shares its memory with process " + std::to_string(other) + " (vfork, or clone with CLONE_VM)";
}

bool is_advised(const std::vector<Region> &regions) {
  for (const Region &r : regions)
    for (const Advice &advice : kAdvice)
      if (has_flag(r, advice.letters) && r.name != "[stack]" && r.name != "[vdso]" && r.name != "[vsyscall]" && !starts(r.name, "[vvar")) return true;
  return false;
}

// The last signal is our own while the process is away (kControlSignal): what the kernel keeps of it for the program would be lost among them.
static void check_last_signal(pid_t pid, std::vector<std::string> &why) {
  const uint64_t last = 1ull << (kControlSignal - 1);
  auto set = [&](const char *name) { return strtoull(status_field(pid, name).c_str(), nullptr, 16); };
  if ((set("SigPnd") | set("ShdPnd")) & last) why.push_back("signal 64 (SIGRTMAX) waits for it");
  const std::string list = proc_path(pid, "fd");
  DIR *dir = opendir(list.c_str());
  while (dirent *entry = dir ? readdir(dir) : nullptr) {
    char name[32];
    const ssize_t n = readlinkat(dirfd(dir), entry->d_name, name, sizeof name);
    if (n != 21 || memcmp(name, "anon_inode:[signalfd]", 21)) continue;
    std::string text;
    const size_t at = read_file(proc_path(pid, "fdinfo") + "/" + entry->d_name, text) ? text.find("sigmask:") : std::string::npos;
    if (at == std::string::npos || !(strtoull(text.c_str() + at + 8, nullptr, 16) & last)) continue;
    why.push_back("it reads signal 64 (SIGRTMAX) from a signalfd");
    break;
  }
  if (dir) closedir(dir);
}

// The kernel counts what runs here, and the program would run elsewhere. Timers of setitimer(2) nothing shows: the stub looks for those (leave.cc).
static void check_processor_time(pid_t pid, std::vector<std::string> &why) {
  std::string text;
  if (read_file(proc_path(pid, "limits"), text)) {
    const size_t at = text.find("Max cpu time");
    char soft[32] = "unlimited", hard[32] = "unlimited";
    if (at != std::string::npos) sscanf(text.c_str() + at + 12, " %31s %31s", soft, hard);
    if (strcmp(soft, "unlimited") || strcmp(hard, "unlimited")) why.push_back("it has a limit on CPU time (RLIMIT_CPU)");
  }
  text.clear();
  if (!read_file(proc_path(pid, "timers"), text)) return;       // with CONFIG_CHECKPOINT_RESTORE, as all distributions have it
  for (size_t at = text.find("ClockID:"); at != std::string::npos; at = text.find("ClockID:", at + 1)) {
    const int clock = atoi(text.c_str() + at + 8);
    if (clock != CLOCK_PROCESS_CPUTIME_ID && clock != CLOCK_THREAD_CPUTIME_ID && (clock >= 0 || (clock & 3) == 3)) continue;
    return why.push_back("it has a timer of CPU time (timer_create(2))"), void();
  }
}

std::vector<std::string> reasons_to_stay(pid_t pid, bool quick, std::vector<Region> *seen) {
  std::vector<std::string> why;
  ProcessStat stat;
  if (!read_stat(pid, stat)) return {"there is no such process"};
  if (stat.state == 'Z' || stat.state == 'X') return {"it has ended"};
  if (stat.state == 'T') why.push_back("it is stopped");
  std::vector<pid_t> threads = threads_of(pid);
  pid_t living = threads.empty() ? pid : threads.front();
  std::string tracer = status_field(living, "TracerPid");
  if (!tracer.empty() && tracer != "0" && tracer != std::to_string(getpid())) why.push_back((is_mover(atoi(tracer.c_str())) ? kMover : kTracer) + tracer);
  if (status_field(living, "Seccomp") == "2") why.push_back("it runs under a system-call filter of its own (seccomp)");
  if (children_elsewhere(living)) why.push_back("its children begin in a pid namespace of their own");
  if (threads.size() + (living != pid) > kMaxSlots) why.push_back("it has more than " + std::to_string(kMaxSlots) + " threads");
  int pidfd = living == pid ? -1 : open_pidfd(pid, living);
  if (pidfd >= 0) close(pidfd);
  else if (living != pid && errno == EINVAL) why.push_back("its first thread has ended, and the kernel of this node is older than Linux 6.9");
  check_processor_time(living, why);
  if (!is_away(pid)) check_last_signal(living, why);
  std::vector<ShownView> shown;
  std::string view = own_view(pid, threads, shown);
  if (!view.empty() && !is_away(pid)) why.push_back(kView + view + ")");
  std::vector<Region> regions = read_regions(pid, !quick);
  if (regions.empty()) why.push_back("its memory map cannot be read");
  const auto files = std::count_if(regions.begin(), regions.end(), [](const Region &r) { return r.inode != 0; });
  if (regions.size() > kMappingsMax || uint64_t(files) > kFilesMax / 2)
    why.push_back("it has more mappings (" + std::to_string(regions.size()) + ", " + std::to_string(files) + " of files) than can move (" + std::to_string(kMappingsMax) + ", " + std::to_string(kFilesMax / 2) + ")");
  for (const Region &r : regions) check_region(pid, r, why);
  if (seen) *seen = std::move(regions);
  return why;
}

std::vector<ShownView> shown_views(pid_t pid) {
  std::vector<ShownView> shown;
  own_view(pid, threads_of(pid), shown);
  return shown;
}

MappedFiles::~MappedFiles() {
  for (const Lease &each : leases) close(each.fd);
}

std::string MappedFiles::take(pid_t pid, const std::vector<Region> &regions) {
  for (const Region &r : regions) {
    // Memory that has no name elsewhere is in no other's hands.
    if (!r.shared || !r.inode || starts(r.name, "/dev/zero (deleted)") || starts(r.name, "/memfd:")) continue;
    int fd = -1;
    if (std::string reason = why_not_leased(pid, r, &fd); !reason.empty()) return reason;
    if (fd >= 0) leases.push_back({fd, r.start, r.end});
    if (leases.size() > kMappedFiles) return "it has more than " + std::to_string(kMappedFiles) + " shared mappings of files";
  }
  return "";
}

}  // namespace mosrun
