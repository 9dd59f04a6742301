// The husk: the empty program a guest is made from. It lays out the stub's memory, describes this side to it, and jumps into it; the stub then unmaps
// the husk and receives the program. Static and linked at an address of its own, so that what it maps meets nothing.
//
//   moshusk CHANNEL EVENT POOL MEMORY CACHE   descriptor numbers; EVENT -1: comes by the pool; MEMORY -1: over the channel; CACHE -1: there is none.
//                                             The pool's first message is Begin.
//
// Nothing here has rights: the keeper took them before the exec, all but CAP_CHECKPOINT_RESTORE in the session's own user namespace.
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "blob.h"
#include "engine/sha256.h"
#include "filter.h"
#include "stub/layout.h"
#include "stub/wire.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

using namespace mosrun;

namespace {

constexpr uint64_t kAddressMax = 0x7fff00000000;   // below the stack and vdso of a fresh program

struct Husk {
  int channel, event, pool, memory, cache;
  Begin begin;
};

[[noreturn]] void refuse(const Husk &husk, int error) {
  Welcome welcome{kHelloMagic, static_cast<uint32_t>(error), 0};
  send(husk.channel, &welcome, sizeof welcome, MSG_NOSIGNAL);
  _exit(1);
}

void *map_at(uint64_t address, size_t size) {
  void *wanted = reinterpret_cast<void *>(address);
  void *got = mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  return got == wanted ? got : nullptr;
}

// The keeper answers these with this process's own files; there is no /proc to open them in.
int own_file(uint64_t which) { return static_cast<int>(syscall(SYS_openat, kOwnFile, which, O_RDONLY | O_CLOEXEC)); }

// The program may ask for memory anywhere (mmap(2) with a hint, which V8 makes at random), and must not get what is the stub's. Of another kind than
// what may come to lie behind it (madvise(2)): the kernel makes no one mapping of the two.
bool reserve_slots(uint64_t base) {
  void *wanted = reinterpret_cast<void *>(base + kSlotsOffset);
  constexpr size_t kSize = kRegionSize - kSlotsOffset;
  if (mmap(wanted, kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != wanted) return false;
  return madvise(wanted, kSize, MADV_DONTDUMP) == 0;
}
// What this node keeps of files lies there for all processes of a user; without it there is none.
bool map_cache(uint64_t base, int fd) {
  if (fd < 0) return false;
  void *wanted = reinterpret_cast<void *>(base + kCacheOffset);
  const bool done = mmap(wanted, kCacheSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == wanted && madvise(wanted, kCacheSize, MADV_DONTDUMP) == 0;
  close(fd);
  return done;
}
Slot *slot_in_place(uint64_t at) {
  void *slot = reinterpret_cast<void *>(at);
  return mprotect(slot, kSlotSize, PROT_READ | PROT_WRITE) == 0 ? static_cast<Slot *>(slot) : nullptr;
}

// Pages of files are fetched when first touched. User mode only: works without rights (vm.unprivileged_userfaultfd), and the stub touches buffers
// before the kernel does. SIGBUS: the faulting thread itself handles the fault.
int open_userfaultfd() {
  int fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY));
  if (fd < 0) return -1;
  uffdio_api api{UFFD_API, UFFD_FEATURE_SIGBUS, 0};
  if (ioctl(fd, UFFDIO_API, &api) == 0) return fd;
  close(fd);
  return -1;
}

void set_stack_limit(const Begin &begin) {
  rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  rlim_t most = begin.stack_max < limit.rlim_max ? begin.stack_max : limit.rlim_max;
  rlimit wanted{begin.stack_limit < most ? begin.stack_limit : most, most};
  setrlimit(RLIMIT_STACK, &wanted);
}

void describe(const Husk &husk, Control &control, Slot &slot) {
  const Begin &begin = husk.begin;
  control.magic = kControlMagic;
  control.protocol = kProtocol;
  control.base = begin.base;
  control.side = static_cast<uint32_t>(Side::guest);
  control.pid = begin.pid;
  control.event = husk.event;
  control.pool = husk.pool;
  control.memory = husk.memory;
  control.watch = control.copier_files[0] = control.copier_files[1] = -1;
  control.mover = control.mover_peer = -1;
  for (Spare &spare : control.spares) spare.fd = -1;
  for (unsigned i = 0; i < kStreams; ++i) control.ahead[i].fd = control.onward[i].fd = -1;
  control.realtime_offset = begin.realtime_offset;
  control.stack_limit = begin.stack_limit;
  control.stack_max = begin.stack_max;
  control.timeout_ms = begin.timeout_ms;
  control.fault = begin.fault;
  slot.state = static_cast<uint32_t>(SlotState::used);
  slot.index = begin.first;
  slot.tid = begin.pid;
  slot.channel = husk.channel;
  slot.process = &control.process;
  slot.leader = 1;
}

// What the C library told the kernel about this thread's memory, which is about to go.
void forget_library() {
  syscall(SYS_set_robust_list, nullptr, 24);
  syscall(SYS_set_tid_address, nullptr);
  if (__rseq_size > 0) syscall(SYS_rseq, static_cast<char *>(__builtin_thread_pointer()) + __rseq_offset, 32, 1, RSEQ_SIG);
}

[[noreturn]] void enter(uint64_t entry, uint64_t stack) {
  asm volatile("mov %1, %%rsp\n\txor %%ebp, %%ebp\n\tjmp *%0" ::"r"(entry), "r"(stack) : "memory");
  __builtin_unreachable();
}

bool sound(const Begin &begin) {
  return begin.base >= kSlotSize && begin.base % kSlotSize == 0 && begin.base < kAddressMax - kRegionSize && begin.pid == getpid() &&
         begin.first < kMaxSlots;
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 6) return 2;
  Husk husk{atoi(arguments[1]), atoi(arguments[2]), atoi(arguments[3]), atoi(arguments[4]), atoi(arguments[5]), {}};
  if (recv(husk.pool, &husk.begin, sizeof husk.begin, 0) != sizeof husk.begin) refuse(husk, EPROTO);
  const Begin &begin = husk.begin;
  if (!sound(begin) || (begin.memory != 0) != (husk.memory >= 0)) refuse(husk, EINVAL);
  if (blob_size > kCodeSize || begin.blob_hash != sha256_prefix(blob, blob_size)) refuse(husk, EPROTO);
  BlobHeader header;
  memcpy(&header, blob, sizeof header);
  if (header.magic != kBlobMagic || header.protocol != kProtocol || header.arrive >= blob_size) refuse(husk, EPROTO);

  auto *code = static_cast<char *>(map_at(begin.base, kSlotsOffset));
  const uint64_t first = begin.base + kSlotsOffset + begin.first * kSlotSize;
  auto *slot = reserve_slots(begin.base) ? slot_in_place(first) : nullptr;
  if (!code || !slot) refuse(husk, EEXIST);
  memcpy(code, blob, blob_size);
  if (mprotect(code, kCodeSize, PROT_READ | PROT_EXEC) < 0) refuse(husk, errno);
  auto &control = *reinterpret_cast<Control *>(code + kControlOffset);
  describe(husk, control, *slot);
  control.maps = own_file(kOwnMaps);
  control.pagemap = own_file(kOwnPagemap);
  control.long_maps = own_file(kOwnLongMaps);
  control.status = own_file(kOwnStatus);
  if (control.maps < 0 || control.pagemap < 0 || control.long_maps < 0 || control.status < 0) refuse(husk, errno);
  control.has_cache = map_cache(begin.base, husk.cache);
  control.uffd = open_userfaultfd();
  set_stack_limit(begin);
  forget_library();
  uint64_t all = ~uint64_t{0};
  syscall(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &all, nullptr, sizeof all);   // glibc's own would leave out its signals
  PoolMessage ready{PoolType::watch, ChannelKind::thread, 0, begin.pid, begin.pid};
  send(husk.pool, &ready, sizeof ready, MSG_NOSIGNAL);
  Welcome welcome{kHelloMagic, 0, 0};
  if (send(husk.channel, &welcome, sizeof welcome, MSG_NOSIGNAL) != sizeof welcome) _exit(1);
  // Before a byte of the program comes: a home-node is trusted with no more than its guest.
  if (!install_filter(begin)) _exit(1);
  enter(begin.base + header.arrive, (first + kStackTop) & ~uint64_t{15});
}
