// What a guest can and cannot do to its host.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "gate/filter.h"
#include "tests.h"

using namespace mosrun;

void shuts_the_sandbox() {
  ControlClient control;
  Guest guest(control, next_session++);
  auto is = [](int64_t result, int error) { return result == -error; };
  // No file has content, none can be made.
  CHECK(is(guest.path_call("/proc/self/status", {SYS_open, kBuffer, O_RDONLY}), ENOENT));
  CHECK(is(guest.path_call("/etc/passwd", {SYS_open, kBuffer, O_RDONLY}), ENOENT));
  CHECK(is(guest.path_call("../../../etc/passwd", {SYS_open, kBuffer, O_RDONLY}), ENOENT));
  CHECK(is(guest.path_call("/file", {SYS_open, kBuffer, O_WRONLY | O_CREAT, 0600}), EROFS));
  CHECK(is(guest.path_call("/dir", {SYS_mkdir, kBuffer, 0700}), EROFS));
  int64_t root = guest.path_call("/", {SYS_open, kBuffer, O_RDONLY | O_DIRECTORY});
  CHECK(root >= 0);
  CHECK(guest.call({SYS_getdents64, static_cast<uint64_t>(root), kBuffer, 4096}) == 2 * 24);   // . and ..
  int64_t above = guest.path_call("..", {SYS_openat, static_cast<uint64_t>(root), kBuffer, O_RDONLY | O_DIRECTORY});   // the same again
  CHECK(guest.call({SYS_getdents64, static_cast<uint64_t>(above), kBuffer, 4096}) == 2 * 24);
  guest.call({SYS_close, static_cast<uint64_t>(above)});
  guest.call({SYS_close, static_cast<uint64_t>(root)});
  CHECK(is(guest.path_call("/", {SYS_mount, kBuffer, kBuffer, kBuffer, 0, 0}), EPERM));
  // Nor anything of its keeper, which has the same user: of an undumpable process even the files in /proc are the host root's (proc(5)).
  for (pid_t keeper : keepers()) {
    struct stat owner{};
    CHECK(stat(("/proc/" + std::to_string(keeper) + "/mem").c_str(), &owner) == 0 && owner.st_uid == 0);
  }
  // No other descriptors than its own.
  int open_fds = 0;
  for (uint64_t fd = 0; fd < 200; fd++) open_fds += guest.call({SYS_fcntl, fd, F_GETFD}) >= 0;
  CHECK(open_fds == 8);   // channel, event channel, pool, maps, smaps, pagemap, status, userfaultfd
  // No rights, no namespaces.
  CHECK(guest.call({SYS_getuid}) == 0);
  guest.call({SYS_getgroups, 64, kBuffer});
  CHECK(guest.last.result == 0);
  uint32_t header[2] = {_LINUX_CAPABILITY_VERSION_3, 0}, data[6];
  guest.put(std::string(reinterpret_cast<char *>(header), 8));
  CHECK(guest.call({SYS_capget, kBuffer, kBuffer + 64}) == 0);
  memcpy(data, guest.get(88).data() + 64, 24);
  CHECK(data[0] == 0 && data[1] == 0 && data[3] == 1u << (CAP_CHECKPOINT_RESTORE - 32) && data[4] == 1u << (CAP_CHECKPOINT_RESTORE - 32));
  for (uint64_t flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWCGROUP, 0x80}) {
    int64_t result = guest.call({SYS_unshare, flag});
    CHECK(result == -EPERM || result == -ENOSPC || result == -EUSERS);
  }
  CHECK(is(guest.call({SYS_prctl, 38, 0, 0, 0, 0}), EINVAL));
  CHECK(guest.call({SYS_prctl, 39, 0, 0, 0, 0}) == 1);   // PR_GET_NO_NEW_PRIVS
  CHECK(is(guest.call({SYS_chroot, kBuffer}), EPERM) || guest.last.result == -ENOENT);
  CHECK(is(guest.call({SYS_setuid, 1}), EINVAL));
  CHECK(is(guest.call({SYS_clock_settime, 0, kBuffer}), EPERM) || guest.last.result == -EINVAL);
  guest.put("x");
  CHECK(is(guest.call({SYS_sethostname, kBuffer, 1}), EPERM));
  // Its keeper, the only other process, cannot be touched.
  CHECK(guest.call({SYS_kill, 1, SIGKILL}) <= 0);
  CHECK(is(guest.call({SYS_ptrace, 0x4206, 1, 0, 0}), EPERM));   // PTRACE_SEIZE
  uint64_t vectors[4] = {kBuffer + 64, 8, kBase, 8};
  guest.put(std::string(reinterpret_cast<char *>(vectors), sizeof vectors));
  CHECK(is(guest.call({SYS_process_vm_readv, 1, kBuffer, 1, kBuffer + 16, 1, 0}), EPERM));
  CHECK(guest.call({SYS_process_vm_readv, kPid, kBuffer, 1, kBuffer + 16, 1, 0}) == 8);
  int64_t pidfd = guest.call({SYS_pidfd_open, 1, 0});
  if (pidfd >= 0) CHECK(is(guest.call({SYS_pidfd_getfd, static_cast<uint64_t>(pidfd), 3, 0}), EPERM));
  // No network: nothing to connect to, not even itself.
  int64_t socket = guest.call({SYS_socket, AF_INET, SOCK_STREAM, 0});
  uint16_t address[8] = {AF_INET, __builtin_bswap16(static_cast<uint16_t>(data_port())), 0x007f, 0x0100};
  guest.put(std::string(reinterpret_cast<char *>(address), sizeof address));
  CHECK(socket < 0 || is(guest.call({SYS_connect, static_cast<uint64_t>(socket), kBuffer, 16}), ENETUNREACH));
  CHECK(!nobody_left());
  // Its own maps and pagemap, and nothing else, from the keeper.
  int64_t maps = guest.call({SYS_openat, kOwnFile, kOwnMaps, 0});
  CHECK(maps >= 0 && guest.call({SYS_read, static_cast<uint64_t>(maps), kBuffer, 4096}) > 100);
  CHECK(has(guest.get(4096), "300000000000-300000040000 r-xp"));
  CHECK(is(guest.call({SYS_openat, kOwnFile, kOwnStatus + 1, 0}), EINVAL));
}

void stands_back() {
  ControlClient control;
  Guest guest(control, next_session++);
  CHECK(husks().size() == 1 && keepers().size() == 1);
  for (pid_t pid : {husks()[0], keepers()[0]}) CHECK(read_text("/proc/" + std::to_string(pid) + "/oom_score_adj") == "1000\n");
  uint64_t share = strtoull(read_text("/proc/sys/kernel/pid_max").c_str(), nullptr, 10) / 8, limit[2] = {};
  guest.call({SYS_prlimit64, 0, RLIMIT_NPROC, 0, kBuffer});
  memcpy(limit, guest.get(16).data(), 16);
  CHECK(limit[0] == limit[1] && limit[1] <= share && limit[1] <= 16384);
  guest.call({SYS_prlimit64, 0, RLIMIT_CORE, 0, kBuffer});
  memcpy(limit, guest.get(16).data(), 16);
  CHECK(limit[0] == 1 && limit[1] == 1);
  uint64_t more[2] = {share + 100000, share + 100000};
  guest.put(std::string(reinterpret_cast<char *>(more), sizeof more));
  CHECK(guest.call({SYS_prlimit64, 0, RLIMIT_NPROC, kBuffer, 0}) == -EPERM);
}

void filters_calls() {
  ControlClient control;
  Guest guest(control, next_session++, true, "", kFiltered);
  CHECK(guest.outside({SYS_getpid}) == kPid);
  CHECK(guest.outside({SYS_sched_yield}) == 0);
  CHECK(guest.call({SYS_gettid}) == kPid);
  for (uint64_t nr : {SYS_read, SYS_write, SYS_open, SYS_openat, SYS_socket, SYS_connect, SYS_clone, SYS_clone3, SYS_fork, SYS_execve, SYS_kill, SYS_ptrace, SYS_mount,
                      SYS_unshare, SYS_setns, SYS_bpf, SYS_io_uring_setup, SYS_sendto, SYS_recvfrom, SYS_ioctl, SYS_prctl, SYS_seccomp, SYS_shmat, SYS_keyctl}) {
    CHECK(guest.outside({nr, 0, 0, 0, 0, 0, 0}) == kTrapped);
  }
  CHECK(guest.outside({500, 0}) == kTrapped);
  CHECK(guest.outside({0x40000000 | SYS_getpid}) == kTrapped);
  for (uint64_t nr : {SYS_write, SYS_open, SYS_socket, SYS_connect, SYS_execve, SYS_kill, SYS_ptrace, SYS_mount, SYS_unshare, SYS_pidfd_open, SYS_seccomp, SYS_io_uring_setup}) {
    CHECK(guest.call({nr, 0, 0, 0, 0, 0, 0}) == kTrapped);
  }
  CHECK(guest.call({SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0}) == kTrapped);
  guest.put(std::string(16, '\0'));
  CHECK(guest.call({SYS_sendto, static_cast<uint64_t>(guest.last.event), kBuffer, 1, 0x20000000, kBuffer, 16}) == kTrapped);   // MSG_FASTOPEN
  int64_t maps = guest.call({SYS_openat, kOwnFile, kOwnMaps, 0});
  CHECK(maps >= 0);
  CHECK(guest.outside({SYS_openat, kOwnFile, kOwnMaps, 0}) == kTrapped);
  // clone3 with new namespaces: its flags cannot be seen by the filter; it fails for want of rights.
  uint64_t arguments[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
  guest.put(std::string(reinterpret_cast<char *>(arguments), sizeof arguments));
  int64_t result = guest.call({SYS_clone3, kBuffer, sizeof arguments});
  CHECK(result == -ENOSPC || result == -EUSERS || result == -EPERM);
  arguments[0] = CLONE_NEWNET;
  guest.put(std::string(reinterpret_cast<char *>(arguments), sizeof arguments));
  CHECK(guest.call({SYS_clone3, kBuffer, sizeof arguments}) == -EPERM);
}

void shifts_clocks() {
  ControlClient control;
  for (int64_t offset : {int64_t{123456789012345}, int64_t{-1500000000}, int64_t{0}}) {
    uint64_t session = next_session++;
    control.ask("open " + session_name(session) + " " + token_of(3).hex());
    Opening opening;
    opening.session = session;
    opening.token = token_of(3);
    opening.begin = begin_for(kPid);
    opening.begin.monotonic_offset = offset;
    opening.begin.boottime_offset = offset + 777000000000;
    Guest guest;
    guest.fd = open_channel(opening);
    CHECK(welcome(guest.fd) == 0);
    timespec here[2], there[2];
    for (int clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME}) {
      guest.call({SYS_clock_gettime, static_cast<uint64_t>(clock), kBuffer});
      memcpy(there, guest.get(16).data(), 16);
      clock_gettime(clock, here);
      int64_t seen = (there[0].tv_sec - here[0].tv_sec) * 1000000000 + there[0].tv_nsec - here[0].tv_nsec;
      int64_t wanted = offset + (clock == CLOCK_BOOTTIME ? 777000000000 : 0);
      CHECK(llabs(seen - wanted) < 100000000);
    }
    close(guest.fd);
    guest.fd = -1;
    CHECK(within(kSoon, nobody_left));
  }
}
