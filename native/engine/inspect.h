// What a process's stub tells about it, read from outside: whether it is at home or away, how often it moved, what it asks of home.
#pragma once
#include <string>
#include <vector>

#include "engine/proc.h"
#include "stub/layout.h"

namespace mosrun {

struct ProcessStatus {
  const char *state = "home";        // home, leaving, away, returning, moving
  Remote base;                       // of the stub; 0: there is none, the process has never left or is clean again
  Control control{};
};

// Finds the stub by its shape: an executable anonymous mapping that begins with the blob's header.
bool find_control(pid_t pid, ProcessStatus &status);

// Reads the control page again at a known place.
bool read_control(pid_t pid, Remote base, Control &control);

// The least that has to be known of one that is away, again and again.
struct Glance {
  const char *state = nullptr;       // as in ProcessStatus; null: it has no stub
  char letter = '?';                 // proc_pid_stat(5); of its first thread, which may have ended
  pid_t tracer = 0;
};
// `base`: where its stub was last; found again where it is not there.
Glance glance_at(pid_t pid, Remote &base);

// Another process whose memory is this one's, as a vfork child's is its parent's until it executes a program or ends; 0: there is none, -1: the kernel
// cannot tell. Nothing else that /proc shows tells it.
pid_t shares_memory_with(pid_t pid);
std::string why_shared(pid_t other);
extern const char why_shared_away[];                       // the same of a guest

// Why the process cannot move now, in sentences; empty if it can. `quick` leaves out what only its sleeping state can answer. Who
// shares its memory is a question of the moment, and asked apart.
// `seen`: its mappings; without their flags if it was to be quick.
std::vector<std::string> reasons_to_stay(pid_t pid, bool quick = false, std::vector<Region> *seen = nullptr);
// Its descriptors of what /proc shows of itself that do not keep it at home.
std::vector<ShownView> shown_views(pid_t pid);
// A reason that is none for long: another mover is at work on it, or it reads a view of itself, as a runtime does now and then.
bool may_pass(const std::string &reason);
bool is_mover(pid_t pid);
bool is_advised(const std::vector<Region> &regions);       // has one a flag of kAdvised?

// Read leases (fcntl(2)) on the files that a process maps shared, but for the system's, for it to hold while its pages are elsewhere: so that it hears of
// whoever opens one for writing, and comes home.
struct MappedFiles {
  struct Lease { int fd; uint64_t start, end; };
  std::vector<Lease> leases;
  std::string take(pid_t pid, const std::vector<Region> &regions);   // a reason to stay, or none
  MappedFiles() = default;
  MappedFiles(const MappedFiles &) = delete;
  MappedFiles &operator=(const MappedFiles &) = delete;
  ~MappedFiles();
};

const char *system_call_name(int nr);

}  // namespace mosrun
