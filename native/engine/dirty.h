// Which pages of another process change while it runs: userfaultfd(2) with asynchronous write protection, and PAGEMAP_SCAN (Linux 6.7).
//
// The descriptor is made in the process itself and taken out of it, and all that is asked of it acts on that process's memory. What is protected is
// written to as before, at the cost of a fault (1 µs) for each page's first write; when the descriptor goes, so does the protection. A mapping that the
// process makes later, or moves (mremap(2)), is not watched: `take` says so, and whoever leaves (stub/memory.cc) sees it by the same answer.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "stub/wire.h"

namespace mosrun {

class DirtyPages {
 public:
  DirtyPages() = default;
  ~DirtyPages();
  DirtyPages(const DirtyPages &) = delete;
  DirtyPages &operator=(const DirtyPages &) = delete;

  // `uffd`: made by the process, with kUffdFlags; taken over. False: the kernel cannot do it, errno tells.
  static constexpr uint64_t kUffdFlags = 02004001;         // O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY: needs no right
  bool open(pid_t pid, int uffd);

  // Is all of it watched, as one mapping?
  bool watches(uint64_t start, uint64_t end) const;
  bool watch(uint64_t start, uint64_t end);
  void unwatch(uint64_t start, uint64_t end);               // then all of it counts as changed

  // The process's own pages in [at, end), up to `most` bytes or so: all, or those that have changed since they were last taken. From
  // this call on they count as unchanged. `at` is moved on. False: part of it is not watched.
  bool take(uint64_t &at, uint64_t end, bool all, uint64_t most, std::vector<PageRun> &runs);

 private:
  bool protect(uint64_t &at, uint64_t end, uint64_t most, std::vector<PageRun> &runs);
  void release(uint64_t start, uint64_t end);
  void forget(uint64_t start, uint64_t end);

  bool no_guards_ = false;                                  // the kernel does not tell them from other pages
  int uffd_ = -1, pagemap_ = -1;
  std::map<uint64_t, uint64_t> watched_;                    // start, end
};

}  // namespace mosrun
