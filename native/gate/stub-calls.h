// What the stub itself may call in a guest, beyond what every guest may.
//
// Guest code can jump into the stub, so the filter's look at the instruction pointer is hygiene, not a wall: each call here must be harmless with any
// arguments the conditions let through. What makes them so: no capability but CAP_CHECKPOINT_RESTORE in a user namespace that may have no children, no
// file system, no descriptor but channels, pool, userfaultfd and this process's own maps and pagemap, a pid namespace of its own.
#pragma once
#include "stub/wire.h"
#include <linux/sched.h>
#include <sys/syscall.h>

#include "filter.h"
#include "generated/syscalls.h"

namespace mosrun {

// As syscalls::native_if: all conditions of a group must hold, one group is enough. Mask 0: no condition. Sorted by number and group.
using Condition = syscalls::NativeIf;

inline constexpr uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
// A channel's socket belongs to the hosting node's network namespace: MSG_FASTOPEN is a connect() in disguise.
inline constexpr uint32_t kFastOpen = 0x20000000;
inline constexpr uint32_t kAll = 0xffffffff;

inline constexpr Condition stub_calls[] = {
    {SYS_read, 0, 0, 0, 0, 0},
    {SYS_close, 0, 0, 0, 0, 0},
    {SYS_poll, 0, 0, 0, 0, 0},
    {SYS_lseek, 0, 0, 0, 0, 0},
    {SYS_mmap, 0, 0, 0, 0, 0},
    {SYS_mprotect, 0, 0, 0, 0, 0},
    {SYS_munmap, 0, 0, 0, 0, 0},
    {SYS_brk, 0, 0, 0, 0, 0},
    {SYS_rt_sigaction, 0, 0, 0, 0, 0},
    {SYS_rt_sigprocmask, 0, 0, 0, 0, 0},
    {SYS_rt_sigreturn, 0, 0, 0, 0, 0},
    {SYS_ioctl, 0, 1, 0, 0xc000ff00, 0xc000aa00},   // userfaultfd(2): _IOWR(0xaa, ...)
    {SYS_ioctl, 1, 1, 0, 0xc000ff00, 0x8000aa00},   // and _IOR
    {SYS_ioctl, 2, 1, 0, kAll, 0xc0606610},         // PAGEMAP_SCAN
    {SYS_ioctl, 3, 1, 0, kAll, 0x541b},             // FIONREAD
    {SYS_pread64, 0, 0, 0, 0, 0},
    {SYS_sched_yield, 0, 0, 0, 0, 0},
    {SYS_mremap, 0, 0, 0, 0, 0},
    {SYS_mincore, 0, 0, 0, 0, 0},
    {SYS_madvise, 0, 0, 0, 0, 0},
    {SYS_dup, 0, 0, 0, 0, 0},
    {SYS_nanosleep, 0, 0, 0, 0, 0},
    {SYS_getpid, 0, 0, 0, 0, 0},
    {SYS_sendto, 0, 3, 0, kFastOpen, 0},
    {SYS_recvfrom, 0, 0, 0, 0, 0},
    {SYS_sendmsg, 0, 2, 0, kFastOpen, 0},
    {SYS_recvmsg, 0, 0, 0, 0, 0},
    {SYS_shutdown, 0, 0, 0, 0, 0},
    {SYS_socketpair, 0, 0, 0, kAll, 1},             // AF_UNIX, to itself; SOCK_SEQPACKET
    {SYS_socketpair, 0, 1, 0, 0xff, 5},
    {SYS_setsockopt, 0, 1, 0, kAll, 1},             // SOL_SOCKET
    {SYS_setsockopt, 0, 2, 0, kAll, 20},            // SO_RCVTIMEO
    {SYS_setsockopt, 1, 1, 0, kAll, 1},
    {SYS_setsockopt, 1, 2, 0, kAll, 21},            // SO_SNDTIMEO
    {SYS_getsockopt, 0, 1, 0, kAll, 6},             // IPPROTO_TCP
    {SYS_getsockopt, 0, 2, 0, kAll, 11},            // TCP_INFO
    {SYS_clone, 0, 0, 0, kNewNamespaces, 0},
    {SYS_exit, 0, 0, 0, 0, 0},
    {SYS_fcntl, 0, 0, 0, 0, 0},
    {SYS_gettimeofday, 0, 0, 0, 0, 0},
    {SYS_getrusage, 0, 0, 0, 0, 0},
    {SYS_times, 0, 0, 0, 0, 0},
    {SYS_sigaltstack, 0, 0, 0, 0, 0},
    {SYS_prctl, 0, 0, 0, kAll, 3},                  // PR_GET_DUMPABLE
    {SYS_prctl, 1, 0, 0, kAll, 4},                  // PR_SET_DUMPABLE
    {SYS_prctl, 2, 0, 0, kAll, 15},                 // PR_SET_NAME
    {SYS_prctl, 3, 0, 0, kAll, 16},                 // PR_GET_NAME
    {SYS_prctl, 4, 0, 0, kAll, 35},                 // PR_SET_MM: of its own memory; an executable would have to be a descriptor
    {SYS_prctl, 5, 0, 0, kAll, 40},                 // PR_GET_TID_ADDRESS
    {SYS_prctl, 6, 0, 0, kAll, 0x53564d41},         // PR_SET_VMA: names anonymous mappings
    {SYS_arch_prctl, 0, 0, 0, 0, 0},
    {SYS_gettid, 0, 0, 0, 0, 0},
    {SYS_futex, 0, 0, 0, 0, 0},
    {SYS_set_tid_address, 0, 0, 0, 0, 0},
    {SYS_clock_gettime, 0, 0, 0, 0, 0},
    {SYS_clock_getres, 0, 0, 0, 0, 0},
    {SYS_clock_nanosleep, 0, 0, 0, 0, 0},
    {SYS_exit_group, 0, 0, 0, 0, 0},
    {SYS_tgkill, 0, 0, 0, 0, 0},
    {SYS_openat, 0, 0, 0, kAll, kOwnFile},          // answered by the keeper
    {SYS_ppoll, 0, 0, 0, 0, 0},
    {SYS_set_robust_list, 0, 0, 0, 0, 0},
    {SYS_get_robust_list, 0, 0, 0, 0, 0},
    {SYS_rt_tgsigqueueinfo, 0, 0, 0, 0, 0},
    {SYS_prlimit64, 0, 0, 0, kAll, 0},              // its own; none can be raised again
    {SYS_getcpu, 0, 0, 0, 0, 0},
    {SYS_process_vm_readv, 0, 0, 0, 0, 0},          // the keeper is not dumpable, so only its own session's memory
    {SYS_getrandom, 0, 0, 0, 0, 0},
    {SYS_userfaultfd, 0, 0, 0, 1, 1},               // UFFD_USER_MODE_ONLY, whatever vm.unprivileged_userfaultfd says
    {SYS_membarrier, 0, 0, 0, 0, 0},
    {SYS_rseq, 0, 0, 0, 0, 0},
    {SYS_close_range, 0, 0, 0, 0, 0},
    {SYS_clone3, 0, 0, 0, 0, 0},                    // its flags are in memory: namespaces are refused for want of rights
    {449, 0, 0, 0, 0, 0},                           // futex_waitv,
    {454, 0, 0, 0, 0, 0},                           // futex_wake,
    {455, 0, 0, 0, 0, 0},                           // futex_wait,
    {456, 0, 0, 0, 0, 0},                           // futex_requeue
};

}  // namespace mosrun
