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

namespace mosrun {

namespace {

constexpr unsigned kCallsMax = 128;

int filter_calls(const Confinement &to) {
  if (to.count > kCallsMax) return -E2BIG;
  const unsigned count = to.count;
  sock_filter code[kCallsMax + 9] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(to.socket_family ? to.socket_family : -1), static_cast<uint8_t>(count + 1), static_cast<uint8_t>(count)),
  };
  unsigned at = 7;
  for (unsigned i = 0; i < count; i++, at++) code[at] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(to.calls[i]), static_cast<uint8_t>(count - i), 0);
  code[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  code[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  sock_fprog program{static_cast<unsigned short>(at), code};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? -errno : 0;
}

}  // namespace

int confine(const Confinement &to, const char **step) {
  rlimit none{0, 0}, files{1 << 20, 1 << 20};
  if (setrlimit(RLIMIT_NOFILE, &files) && !getrlimit(RLIMIT_NOFILE, &files)) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  *step = "limits";
  if (setrlimit(RLIMIT_CORE, &none) || chdir("/")) return -errno;
  *step = "user";
  gid_t user = to.users + static_cast<uint32_t>(getpid());
  if (setgroups(0, nullptr) || setresgid(user, user, user) || setresuid(user, user, user)) return -errno;
  *step = "dumpable";
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -errno;
  *step = "filter";
  return filter_calls(to);
}

}  // namespace mosrun
