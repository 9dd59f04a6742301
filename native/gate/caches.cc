#include "caches.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sockets.h"
#include "stub/layout.h"

namespace mosrun {

namespace {

// Nobody makes it larger or smaller: whoever has it mapped finds memory there.
int make_cache() {
  const int fd = memfd_create("mosrun-files", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -1;
  if (ftruncate(fd, static_cast<off_t>(kCacheSize)) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

int Caches::make(uint64_t number) {
  const int fd = make_cache();
  if (fd >= 0 && caches_.add({number, fd, now_ns(CLOCK_MONOTONIC)})) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

size_t Caches::most() {
  constexpr size_t kMost = 32;
  const long pages = sysconf(_SC_PHYS_PAGES);
  const size_t share = pages > 0 ? static_cast<uint64_t>(pages) * kPage / 8 / kCacheSize : 1;
  return share < kMost ? share : kMost;
}

// Less than a sixteenth of what the machine has.
bool Caches::memory_is_short() {
  char text[512] = {};
  const int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  const char *available = got > 0 ? strstr(text, "MemAvailable:") : nullptr;
  unsigned long all, left;
  return available && sscanf(text, "MemTotal: %lu", &all) == 1 && sscanf(available, "MemAvailable: %lu", &left) == 1 && left < all / 16;
}

void Caches::drop(size_t i) {
  close(caches_[i].fd);
  caches_.remove(i);
}

}  // namespace mosrun
