// Every kernel feature the engine builds on, tried once, by name. What changes a process (a filter, a namespace) is tried in a child.
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "addon.h"

namespace mosrun::addon {
namespace {

// Newer than Debian 12's headers.
constexpr unsigned long kPagemapScan = 0xc0606610;        // Linux 6.7, Documentation/admin-guide/mm/pagemap.rst
constexpr uint64_t kUffdWpAsync = uint64_t{1} << 15;      // Linux 6.7
constexpr int kUffdUserModeOnly = 1;                      // Linux 5.11
constexpr unsigned long kHwcap2FsGsBase = 1ul << 1;       // Linux 5.9, arch/x86/include/uapi/asm/hwcap2.h

struct PagemapScanArgument {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted, category_mask, category_anyof_mask, return_mask;
};

/// Runs a probe in a child: 0 when it works, else its errno. The child of a threaded process: nothing but system calls in there.
int InChild(int (*probe)()) {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(probe() & 0xff);
  int status;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
}

volatile sig_atomic_t trapped = 0;
void OnTrap(int) { trapped = 1; }

int SeccompTrap() {
  struct sigaction action {};
  action.sa_handler = OnTrap;
  sigaction(SIGSYS, &action, nullptr);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{sizeof filter / sizeof *filter, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return errno;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) return errno;
  syscall(SYS_getppid);
  return trapped ? 0 : ENOSYS;
}

int UserfaultWith(uint64_t features) {
  const int fd = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | kUffdUserModeOnly));
  if (fd < 0) return errno;
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = features;
  const int error = ioctl(fd, UFFDIO_API, &api) < 0 ? errno : 0;
  close(fd);
  return error;
}
int Userfault() { return UserfaultWith(UFFD_FEATURE_SIGBUS); }
int UserfaultAsync() { return UserfaultWith(kUffdWpAsync); }

int PagemapScan() {
  const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  PagemapScanArgument argument{};
  argument.size = sizeof argument;
  const int error = ioctl(fd, kPagemapScan, &argument) < 0 ? errno : 0;
  close(fd);
  return error;
}

int UserNamespace() { return unshare(CLONE_NEWUSER) < 0 ? errno : 0; }
int OtherNamespaces() {
  return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ? errno : 0;
}
int TimeNamespace() { return unshare(CLONE_NEWUSER | CLONE_NEWTIME) < 0 ? errno : 0; }

/// A child is given the number of one that has just ended, so that it is free.
int CloneSetTid() {
  const pid_t used = fork();
  if (used < 0) return errno;
  if (used == 0) _exit(0);
  waitpid(used, nullptr, 0);
  pid_t wanted = used;
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<uint64_t>(&wanted);
  arguments.set_tid_size = 1;
  const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child < 0) return errno == EEXIST ? 0 : errno;
  if (child == 0) _exit(0);
  waitpid(static_cast<pid_t>(child), nullptr, 0);
  return child == wanted ? 0 : EINVAL;
}

int Ptrace() {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) {
    pause();
    _exit(0);
  }
  const int error = ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEEXEC) < 0 ? errno : 0;
  kill(child, SIGKILL);
  waitpid(child, nullptr, __WALL);
  return error;
}

// PIDFD_THREAD, Linux 6.9: the descriptors of a process whose first thread has ended are in the hands of the others.
int ThreadPidfd() { return syscall(SYS_pidfd_open, gettid(), O_EXCL) < 0 ? errno : 0; }

int FsGsBase() { return getauxval(AT_HWCAP2) & kHwcap2FsGsBase ? 0 : ENOSYS; }

struct Probe {
  const char *name;
  int (*run)();
};
constexpr Probe kProbes[] = {
    {"ptrace", Ptrace},
    {"seccomp-trap", SeccompTrap},
    {"user-namespace", UserNamespace},
    {"guest-namespaces", OtherNamespaces},
    {"time-namespace", TimeNamespace},
    {"clone3-set-tid", CloneSetTid},
    {"fsgsbase", FsGsBase},
    {"userfaultfd", Userfault},
    {"userfaultfd-wp-async", UserfaultAsync},
    {"pagemap-scan", PagemapScan},
    {"thread-pidfd", ThreadPidfd},
};

}  // namespace

Napi::Value ProbeKernel(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Napi::Array results = Napi::Array::New(env);
  uint32_t count = 0;
  for (const Probe &probe : kProbes) {
    const int error = InChild(probe.run);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", probe.name);
    entry.Set("ok", error == 0);
    entry.Set("detail", error == 0 ? "" : strerror(error));
    results.Set(count++, entry);
  }
  return results;
}

}  // namespace mosrun::addon
