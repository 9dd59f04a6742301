#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>

#include "filter.h"
#include "sockets.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

namespace mosrun {

namespace {

int failed(long result) { return result < 0 ? -errno : 0; }

int write_file(int directory, const char *path, const char *text) {
  int fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int error = failed(write(fd, text, strlen(text)));
  close(fd);
  return error;
}

// --- the steps, in order -----------------------------------------------------------------------------------------------------

int take_identity(Sandbox &) {
  if (setgroups(0, nullptr) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) return -errno;
  setsid();
  // Changing the user id made this process undumpable, and the files in its /proc directory the host root's (proc(5)).
  return failed(prctl(PR_SET_DUMPABLE, 1));
}

int open_proc(Sandbox &sandbox) {
  sandbox.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return failed(sandbox.proc);
}

// Guest code can reach clone3 through the stub, and a filter cannot see clone3's flags: so the namespaces are forbidden by number.
int forbid_namespaces(Sandbox &sandbox) { return write_file(sandbox.proc, "sys/user/max_user_namespaces", "0"); }

// Only children enter the new time namespace, and its offsets are fixed once there is one (time_namespaces(7)).
int new_time(Sandbox &sandbox) {
  if (unshare(CLONE_NEWTIME) < 0) return -errno;
  sandbox.offsets = openat(sandbox.proc, "self/timens_offsets", O_RDWR | O_CLOEXEC);
  return failed(sandbox.offsets);
}

int name_host(Sandbox &) { return failed(sethostname("guest", 5)); }

// An empty, read-only root. /proc is only the place it is mounted on to pivot from; the descriptor taken before is the last way to the old one.
int empty_root(Sandbox &) {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return -errno;
  if (mount("mosrun", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2,mode=0555") < 0) return -errno;
  // pivot_root(2): with the same directory twice, the old root is stacked on the new one and can be detached.
  if (chdir("/proc") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) return -errno;
  return 0;
}

// What an exec may give: uid 0 would get every right in its namespace back.
int bound_rights(Sandbox &) {
  for (int capability = 0; capability < 64; capability++) {
    if (capability != CAP_CHECKPOINT_RESTORE && prctl(PR_CAPBSET_DROP, capability) < 0 && errno != EINVAL) return -errno;
  }
  return failed(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

// Inherited by every process of the guest; the keeper answers.
int listen_for_own_files(Sandbox &sandbox) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kOwnFile, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{sizeof code / sizeof *code, code};
  sandbox.notifier = static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
  return failed(sandbox.notifier);
}

// Keeps the guest from touching the keeper, which has the same user: an undumpable process is open only to rights in the host's user namespace.
int close_to_guests(Sandbox &) { return failed(prctl(PR_SET_DUMPABLE, 0)); }

struct Step {
  const char *name;
  int (*run)(Sandbox &);
};
constexpr Step kSteps[] = {
    {"take the identity", take_identity}, {"open /proc", open_proc},         {"forbid namespaces", forbid_namespaces},
    {"time namespace", new_time},         {"name the host", name_host},      {"empty the root", empty_root},
    {"bound the rights", bound_rights},   {"listen", listen_for_own_files},  {"close to guests", close_to_guests},
};

int set_capabilities(uint64_t set, uint64_t inheritable) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {
      {static_cast<uint32_t>(set), static_cast<uint32_t>(set), static_cast<uint32_t>(inheritable)},
      {static_cast<uint32_t>(set >> 32), static_cast<uint32_t>(set >> 32), static_cast<uint32_t>(inheritable >> 32)},
  };
  return failed(syscall(SYS_capset, &header, data));
}

// The offsets in the file are from the first time namespace, and start as those of the namespace this node itself is in.
int write_offsets(int fd, const Begin &begin) {
  char text[256] = {};
  if (pread(fd, text, sizeof text - 1, 0) < 0) return -errno;
  int64_t own[2] = {};
  const char *names[2] = {"monotonic", "boottime"};
  int64_t wanted[2] = {begin.monotonic_offset, begin.boottime_offset};
  int used = 0;
  char out[256];
  for (int i = 0; i < 2; i++) {
    const char *at = strstr(text, names[i]);
    long long seconds = 0, nanoseconds = 0;
    if (at && sscanf(at + strlen(names[i]), "%lld %lld", &seconds, &nanoseconds) == 2) own[i] = seconds * kSecond + nanoseconds;
    int64_t total = own[i] + wanted[i];
    int64_t whole = total / kSecond, rest = total % kSecond;
    if (rest < 0) rest += kSecond, whole--;
    used += snprintf(out + used, sizeof out - static_cast<size_t>(used), "%s %lld %lld\n", names[i], static_cast<long long>(whole), static_cast<long long>(rest));
  }
  return failed(write(fd, out, static_cast<size_t>(used)));
}

[[noreturn]] void become_guest(const GuestStart &start) {
  char channel[12], event[12], pool[12], memory[12], cache[12];
  char *arguments[] = {const_cast<char *>("moshusk"), channel, event, pool, memory, cache, nullptr};
  // No rseq area that the kernel would write to while the husk's own memory goes (rseq is glibc's since 2.35).
  char *environment[] = {const_cast<char *>("GLIBC_TUNABLES=glibc.pthread.rseq=0"), nullptr};
  snprintf(channel, sizeof channel, "%d", start.channel);
  snprintf(event, sizeof event, "%d", start.event);
  snprintf(pool, sizeof pool, "%d", start.pool);
  snprintf(memory, sizeof memory, "%d", start.memory);
  snprintf(cache, sizeof cache, "%d", start.cache);
  for (int fd : {start.channel, start.event, start.pool, start.memory, start.cache}) {
    if (fd >= 0) fcntl(fd, F_SETFD, 0);
  }
  // The kernel's lower, bottom-up mmap area: what the guest maps later stays far from home's stack, which must be able to grow.
  personality(ADDR_COMPAT_LAYOUT);
  // 1 is the one value that also keeps the kernel from starting a core_pattern helper (core(5), fs/coredump.c).
  rlimit core{1, 1};
  setrlimit(RLIMIT_CORE, &core);
  int error = set_capabilities(uint64_t{1} << CAP_CHECKPOINT_RESTORE, uint64_t{1} << CAP_CHECKPOINT_RESTORE);
  if (error == 0) {
    syscall(SYS_execveat, start.husk, "", arguments, environment, AT_EMPTY_PATH);
    error = -errno;
  }
  Welcome welcome{kHelloMagic, static_cast<uint32_t>(-error), 0};
  send(start.channel, &welcome, sizeof welcome, MSG_NOSIGNAL);
  _exit(1);
}

}  // namespace

int make_sandbox(Sandbox &sandbox, const char **step) {
  for (const Step &each : kSteps) {
    if (int error = each.run(sandbox)) {
      *step = each.name;
      return error;
    }
  }
  return 0;
}

pid_t start_guest(Sandbox &sandbox, const GuestStart &start) {
  if (int error = write_offsets(sandbox.offsets, start.begin)) return error;
  close(sandbox.offsets);
  sandbox.offsets = -1;
  pid_t pid = start.begin.pid;
  clone_args arguments{};
  arguments.flags = CLONE_CLEAR_SIGHAND;
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<uint64_t>(&pid);
  arguments.set_tid_size = 1;
  long child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child < 0) return -errno;
  if (child == 0) become_guest(start);
  return static_cast<pid_t>(child);
}

int drop_keeper_rights() {
  if (int error = set_capabilities(uint64_t{1} << CAP_SYS_PTRACE, 0)) return error;
  static constexpr int kCalls[] = {
      SYS_poll, SYS_ppoll, SYS_recvmsg, SYS_sendmsg, SYS_sendto, SYS_read, SYS_close, SYS_shutdown, SYS_kill, SYS_pidfd_send_signal, SYS_wait4, SYS_openat, SYS_fcntl, SYS_pidfd_open,
      SYS_ioctl, SYS_mmap, SYS_munmap, SYS_mremap, SYS_brk, SYS_clock_gettime, SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall,
  };
  constexpr unsigned kCount = sizeof kCalls / sizeof *kCalls;
  sock_filter code[kCount + 6];
  unsigned used = 0;
  code[used++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  code[used++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, kCount + 1);
  code[used++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (unsigned i = 0; i < kCount; i++) {
    code[used++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(kCalls[i]), static_cast<uint8_t>(kCount - i), 0);
  }
  code[used++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  code[used++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  sock_fprog program{static_cast<unsigned short>(used), code};
  return failed(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

}  // namespace mosrun
