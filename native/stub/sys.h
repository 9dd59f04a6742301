// Raw system calls and the few library functions that code without a library needs.
// Nothing here touches TLS, errno or floating point: the stub runs in threads whose every register belongs to a program.
#pragma once
#include <machine.h>

#include "layout.h"
#include "wire.h"

namespace mosrun {

using i64 = int64_t;
using u64 = uint64_t;
using u32 = uint32_t;
using i32 = int32_t;

enum : int {
  EPERM_ = 1, ENOENT_ = 2, ESRCH_ = 3, EINTR_ = 4, EIO_ = 5, EBADF_ = 9, EAGAIN_ = 11, ENOMEM_ = 12, EFAULT_ = 14, EBUSY_ = 16, EEXIST_ = 17, ENOSPC_ = 28,
  EINVAL_ = 22, EMFILE_ = 24, EPIPE_ = 32, ENOSYS_ = 38, ENOLINK_ = 67, EPROTO_ = 71, EBADMSG_ = 74, EOPNOTSUPP_ = 95, ENOTCONN_ = 107, ETIMEDOUT_ = 110, EINPROGRESS_ = 115,
};
enum : int {
  nr_read = 0, nr_write = 1, nr_close = 3, nr_poll = 7, nr_lseek = 8, nr_mmap = 9, nr_mprotect = 10, nr_munmap = 11, nr_brk = 12,
  nr_rt_sigaction = 13, nr_rt_sigprocmask = 14, nr_rt_sigreturn = 15, nr_ioctl = 16, nr_pread64 = 17, nr_sched_yield = 24, nr_mremap = 25,
  nr_mincore = 27, nr_madvise = 28, nr_nanosleep = 35, nr_getpid = 39, nr_socket = 41, nr_connect = 42, nr_sendto = 44, nr_recvfrom = 45, nr_sendmsg = 46,
  nr_recvmsg = 47, nr_shutdown = 48, nr_socketpair = 53, nr_setsockopt = 54, nr_getsockopt = 55, nr_clone = 56, nr_fork = 57, nr_vfork = 58, nr_execve = 59,
  nr_exit = 60, nr_kill = 62, nr_fcntl = 72, nr_getrlimit = 97, nr_getrusage = 98, nr_times = 100, nr_sigaltstack = 131, nr_prctl = 157, nr_arch_prctl = 158,
  nr_gettid = 186, nr_futex = 202, nr_set_tid_address = 218, nr_restart_syscall = 219, nr_clock_gettime = 228, nr_clock_nanosleep = 230,
  nr_exit_group = 231, nr_tgkill = 234, nr_ppoll = 271, nr_set_robust_list = 273, nr_get_robust_list = 274, nr_epoll_pwait = 281, nr_rt_tgsigqueueinfo = 297,
  nr_rt_sigqueueinfo = 129, nr_prlimit64 = 302, nr_process_vm_readv = 310, nr_process_vm_writev = 311, nr_getrandom = 318, nr_userfaultfd = 323, nr_execveat = 322,
  nr_mlock = 149, nr_munlock = 150, nr_mlockall = 151, nr_munlockall = 152, nr_setrlimit = 160, nr_mlock2 = 325, nr_rseq = 334, nr_clone3 = 435, nr_close_range = 436,
  nr_futex_waitv = 449, nr_futex_wake = 454, nr_futex_wait = 455, nr_futex_requeue = 456,
};

template <class T> u64 address(T *p) { return reinterpret_cast<u64>(p); }
template <class T> T *pointer(u64 a) { return reinterpret_cast<T *>(a); }

template <class T> T minimum(T a, T b) { return a < b ? a : b; }
template <class T> T maximum(T a, T b) { return a > b ? a : b; }
inline u64 align_down(u64 x, u64 a) { return x & ~(a - 1); }
inline u64 align_up(u64 x, u64 a) { return (x + a - 1) & ~(a - 1); }

// --- where am I --------------------------------------------------------------------------------------------------------------
inline Control &control() { return *pointer<Control>(base() + kControlOffset); }
inline Slot *slot_at(u64 index) { return pointer<Slot>(base() + kSlotsOffset + index * kSlotSize); }
// Slots are aligned like the region (base is a multiple of kSlotSize).
inline Slot *this_slot() { return pointer<Slot>(align_down(in_own_slot(), kSlotSize)); }
inline Frame *saved_frame(Slot *slot) { return pointer<Frame>(address(slot) + kFrameOffset); }
inline uint8_t *buffer(Slot *slot) { return pointer<uint8_t>(address(slot) + kBufferOffset); }

// --- waiting -----------------------------------------------------------------------------------------------------------------
struct TimeSpec { i64 seconds, nanoseconds; };
enum : int { clock_realtime = 0, clock_monotonic = 1, clock_process_cpu = 2, clock_thread_cpu = 3 };
inline i64 now(int clock = clock_monotonic) {
  TimeSpec t{};
  sys(nr_clock_gettime, u64(clock), address(&t));
  return t.seconds * 1000000000 + t.nanoseconds;
}
enum : int { futex_wait_op = 128, futex_wake_op = 129 };   // FUTEX_PRIVATE_FLAG
inline i64 futex_wait(volatile u32 *word, u32 value, i64 ns = -1) {
  TimeSpec t{ns / 1000000000, ns % 1000000000};
  return sys(nr_futex, address(const_cast<u32 *>(word)), futex_wait_op, value, ns < 0 ? 0 : address(&t));
}
enum : u64 { nr_timer_create = 222, nr_timer_settime = 223, nr_timer_delete = 226 };
struct Event64 { u64 value; int signal, notify, tid, pad[11]; };   // struct sigevent
static_assert(sizeof(Event64) == 64);
inline void futex_wake(volatile u32 *word, int count = 0x7fffffff) { sys(nr_futex, address(const_cast<u32 *>(word)), futex_wake_op, u64(count)); }
inline u32 load(const volatile u32 *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
inline void store(volatile u32 *p, u32 v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
inline u32 add(volatile u32 *p, u32 v) { return __atomic_add_fetch(p, v, __ATOMIC_ACQ_REL); }

// A lock that is held for short stretches by threads that take no signal meanwhile. The word says whose it is, by the slot, and whether others wait: a
// child that shares its parent's memory (vfork) may be killed while it holds it, and its parent then frees it.
class Lock {
 public:
  explicit Lock(volatile u32 *word) : word_(word) { take(word_); }
  ~Lock() { release(word_); }
  Lock(const Lock &) = delete;
  Lock &operator=(const Lock &) = delete;

  static bool is_mine(const volatile u32 *word) { return (load(word) & ~kWaited) == holder(this_slot()->index); }
  static bool try_take(volatile u32 *word) {
    u32 seen = 0;
    return __atomic_compare_exchange_n(word, &seen, holder(this_slot()->index), false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE);
  }
  static void take(volatile u32 *word) {
    if (try_take(word)) return;
    const u32 mine = holder(this_slot()->index);
    for (u32 seen = load(word);;) {
      if (!seen) {
        if (__atomic_compare_exchange_n(word, &seen, mine | kWaited, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) return;
        continue;
      }
      if (!(seen & kWaited) && !__atomic_compare_exchange_n(word, &seen, seen | kWaited, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) continue;
      futex_wait(word, seen | kWaited);
      seen = load(word);
    }
  }
  static void release(volatile u32 *word) {
    if (__atomic_exchange_n(word, 0u, __ATOMIC_RELEASE) & kWaited) futex_wake(word, 1);
  }

  // Whoever had this slot is dead.
  static void free_of(volatile u32 *word, u32 slot) {
    if ((load(word) & ~kWaited) == holder(slot)) release(word);
    futex_wake(word);                                        // it may have died with the wake-up that was another's
  }

 private:
  static constexpr u32 kWaited = 1;
  static constexpr u32 holder(u32 slot) { return (slot + 1) << 1; }
  volatile u32 *word_;
};

// --- streams -----------------------------------------------------------------------------------------------------------------
struct IoVec { u64 base, length; };
struct InterfaceList { int length, pad; u64 buffer; };     // struct ifconf
struct MsgHdr { u64 name; u32 name_length, pad; u64 iov; u64 iov_length; u64 control; u64 control_length; u32 flags, pad2; };
enum : int { msg_dontwait = 0x40, msg_nosignal = 0x4000, msg_peek = 2, msg_waitall = 0x100, msg_more = 0x8000, msg_cmsg_cloexec = 0x40000000 };

// Send or receive all of it, whatever interrupts. Return 0, or -errno (-EPIPE for an end of stream). The vectors are used up.
i64 send_all(int fd, IoVec *iov, u64 count, int flags = 0);
i64 receive_all(int fd, IoVec *iov, u64 count);
inline i64 send_all(int fd, const void *data, u64 n, int flags = 0) { IoVec v{reinterpret_cast<u64>(data), n}; return send_all(fd, &v, 1, flags); }
inline i64 receive_all(int fd, void *data, u64 n) { IoVec v{reinterpret_cast<u64>(data), n}; return receive_all(fd, &v, 1); }
i64 wait_readable(int fd, i64 timeout_ms);   // 1 readable or closed, 0 time is over, -errno
i64 receive_fd(int socket, void *message, u64 size, int *fd, i64 timeout_ms);
i64 set_timeout(int fd, i64 ms, bool sending);

inline i64 block_all_signals() { u64 all = ~0ull; return sys(nr_rt_sigprocmask, 2, address(&all), 0, 8); }
inline i64 set_real_mask(u64 mask) { return sys(nr_rt_sigprocmask, 2, address(&mask), 0, 8); }
constexpr u64 bit(int signal) { return 1ull << (signal - 1); }

enum : int { prot_none = 0, prot_read = 1, prot_write = 2, prot_exec = 4 };
enum : int { map_shared = 1, map_private = 2, map_droppable = 8, map_fixed = 0x10, map_anonymous = 0x20, map_growsdown = 0x100, map_noreserve = 0x4000, map_fixed_noreplace = 0x100000 };
inline bool failed(i64 result) { return u64(result) > u64(-4096); }

inline u64 read_fs() { u64 v = 0; sys(nr_arch_prctl, 0x1003, address(&v)); return v; }
inline u64 read_gs() { u64 v = 0; sys(nr_arch_prctl, 0x1004, address(&v)); return v; }
inline void write_fs(u64 v) { sys(nr_arch_prctl, 0x1002, v); }
inline void write_gs(u64 v) { sys(nr_arch_prctl, 0x1001, v); }

}  // namespace mosrun
