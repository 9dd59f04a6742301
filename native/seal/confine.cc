#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "orders.h"

namespace mosrun {

namespace {

// Those of the C library, of OpenSSL and of its own. Descriptors are made by accept, connect and socketpair alone: it can open no file.
constexpr int kCalls[] = {
    SYS_read, SYS_write, SYS_writev, SYS_close, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_shutdown, SYS_connect, SYS_accept4,
    SYS_socketpair, SYS_setsockopt, SYS_getsockopt, SYS_fcntl, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_mmap, SYS_mprotect, SYS_munmap,
    SYS_mremap, SYS_madvise, SYS_brk, SYS_futex, SYS_getrandom, SYS_clock_gettime, SYS_getpid, SYS_gettid, SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_rt_sigaction, SYS_tgkill, SYS_restart_syscall, SYS_exit, SYS_exit_group,
};
constexpr unsigned kCount = sizeof kCalls / sizeof *kCalls;

int filter_calls() {
  constexpr unsigned kLength = kCount + 9;
  sock_filter code[kLength] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, kCount + 1, kCount),
  };
  unsigned at = 7;
  for (unsigned i = 0; i < kCount; i++, at++) code[at] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(kCalls[i]), static_cast<uint8_t>(kCount - i), 0);
  code[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  code[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  sock_fprog program{kLength, code};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? -errno : 0;
}

}  // namespace

int confine(const char **step) {
  rlimit none{0, 0}, files{1 << 20, 1 << 20};
  if (setrlimit(RLIMIT_NOFILE, &files) && !getrlimit(RLIMIT_NOFILE, &files)) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  *step = "limits";
  if (setrlimit(RLIMIT_CORE, &none) || chdir("/")) return -errno;
  *step = "user";
  gid_t user = kSealUsers + static_cast<uint32_t>(getpid());
  if (setgroups(0, nullptr) || setresgid(user, user, user) || setresuid(user, user, user)) return -errno;
  *step = "dumpable";
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -errno;
  *step = "filter";
  return filter_calls();
}

}  // namespace mosrun
