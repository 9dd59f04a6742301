#include "engine/dirty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "engine/proc.h"
#include "stub/pagemap.h"

namespace mosrun {

namespace {

// Debian 12's <linux/userfaultfd.h> is of 6.1.
constexpr uint64_t kApi = 0xaa, kWriteProtectAsync = 1 << 15, kModeWriteProtect = 2;
constexpr unsigned long kApiCall = 0xc018aa3f, kRegister = 0xc020aa00, kUnregister = 0x8010aa01;

}  // namespace

DirtyPages::~DirtyPages() {
  for (auto [start, end] : watched_) release(start, end);
  if (uffd_ >= 0) close(uffd_);
  if (pagemap_ >= 0) close(pagemap_);
}

bool DirtyPages::open(pid_t pid, int uffd) {
  uffd_ = uffd;
  struct { uint64_t api, features, ioctls; } api{kApi, kWriteProtectAsync, 0};
  if (ioctl(uffd_, kApiCall, &api)) return false;
  pagemap_ = ::open(proc_path(living_thread(pid), "pagemap").c_str(), O_RDONLY | O_CLOEXEC);
  return pagemap_ >= 0;
}

bool DirtyPages::watches(uint64_t start, uint64_t end) const {
  auto after = watched_.upper_bound(start);
  return after != watched_.begin() && std::prev(after)->second >= end;
}

bool DirtyPages::watch(uint64_t start, uint64_t end) {
  struct { uint64_t start, length, mode, ioctls; } range{start, end - start, kModeWriteProtect, 0};
  if (ioctl(uffd_, kRegister, &range)) return false;
  forget(start, end);
  watched_[start] = end;
  return true;
}

void DirtyPages::unwatch(uint64_t start, uint64_t end) {
  release(start, end);
  forget(start, end);
}

// The kernel visits every page of it under the lock of the process's mappings, 25 ms for each GiB, and what the process needs that lock for waits: so it is
// asked for a little at a time.
void DirtyPages::release(uint64_t start, uint64_t end) {
  constexpr uint64_t piece = 4 << 20;
  for (; start < end; start += piece) {
    struct { uint64_t start, length; } range{start, std::min(piece, end - start)};
    ioctl(uffd_, kUnregister, &range);
  }
}

void DirtyPages::forget(uint64_t start, uint64_t end) {
  for (auto it = watched_.begin(); it != watched_.end();)
    if (it->first < end && start < it->second) it = watched_.erase(it);
    else ++it;
}

// Those of [at, end) that are there, and are the process's own: all of them, or until `runs` is full or `most` bytes have been found.
bool DirtyPages::protect(uint64_t &at, uint64_t end, uint64_t most, std::vector<PageRun> &runs) {
  PageRegion found[kRunsMax];
  PageScan scan = scan_present(at, end, found, kRunsMax, page_is_zero | page_is_file | page_is_guard, kProtectMatching | kCheckProtection);
  scan.max_pages = most / kPage;
  if (no_guards_) without_guards(scan);
  int n = ioctl(pagemap_, kPagemapScan, &scan);
  if (n < 0 && errno == EINVAL && !no_guards_) {
    without_guards(scan);
    n = ioctl(pagemap_, kPagemapScan, &scan);
    no_guards_ = n >= 0;
  }
  if (n < 0 || scan.walk_end <= at) return false;
  for (int i = 0; i < n; ++i) {
    if (!runs.empty() && runs.back().address + runs.back().length == found[i].start) runs.back().length += found[i].end - found[i].start;
    else runs.push_back({found[i].start, found[i].end - found[i].start});
  }
  at = scan.walk_end;
  return true;
}

bool DirtyPages::take(uint64_t &at, uint64_t end, bool all, uint64_t most, std::vector<PageRun> &runs) {
  if (all) return protect(at, end, most, runs);
  PageRegion found[kRunsMax];
  PageScan scan = scan_changed(at, end, found, kRunsMax);
  int n = ioctl(pagemap_, kPagemapScan, &scan);
  if (n < 0 || scan.walk_end <= at) return false;
  uint64_t bytes = 0;
  for (int i = 0; i < n; ++i) {
    for (uint64_t from = found[i].start; from < found[i].end;) {
      const size_t before = runs.size();
      if (!protect(from, found[i].end, most - bytes, runs)) return false;
      bytes = 0;
      for (const PageRun &run : runs) bytes += run.length;
      if (bytes >= most || (runs.size() >= kRunsMax && runs.size() > before)) return at = from, true;
    }
  }
  at = scan.walk_end;
  return true;
}

}  // namespace mosrun
