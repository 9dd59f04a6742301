#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/log.h"
#include "own-files.h"
#include "sandbox.h"
#include "sockets.h"
#include "watch.h"

namespace mosrun {

namespace {

constexpr int64_t kClaimTime = kSecond;
constexpr size_t kPassingMax = 4096;   // channels that no guest process has taken yet

struct Passing {
  PoolMessage message;
  int fd;
};
struct Pool { pid_t pid; int fd; };
constexpr size_t kPoolsMax = 4096;

class Keeper {
 public:
  Keeper(int gate, int husk, int maker, int cache) : gate_(gate), husk_(husk), maker_(maker), cache_(cache) {}

  [[noreturn]] void run() {
    await_identity();
    const char *step = "";
    if (int error = make_sandbox(sandbox_, &step)) fail(error, step);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) fail(-errno, "socket pair");
    pool_ = pair[0];
    guests_ = pair[1];
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    children_ = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (children_ < 0) fail(-errno, "signalfd");
    report(KeeperState::ready, 0, "");
    for (;;) serve();
  }

 private:
  void report(KeeperState state, int error, const char *step) {
    KeeperReport message{state, error, {}};
    strncpy(message.step, step, sizeof message.step - 1);
    send_with_fd(gate_, &message, sizeof message, -1);
  }

  [[noreturn]] void fail(int error, const char *step) {
    report(KeeperState::failed, -error, step);
    _exit(1);
  }

  void await_identity() {
    GateMessage message;
    pollfd either[2] = {{gate_, POLLIN, 0}, {maker_, POLLIN, 0}};
    while (poll(either, 2, -1) < 0) continue;
    if (recv(gate_, &message, sizeof message, MSG_DONTWAIT) != sizeof message) _exit(1);
  }

  // --- one round of the loop ---------------------------------------------------------------------------------------------------

  void serve() {
    set_.clear();
    set_.add({gate_, POLLIN, 0});
    set_.add({children_, POLLIN, 0});
    set_.add({pool_, static_cast<short>(POLLIN | (leader_ > 0 && passing_.count && !crowded_ ? POLLOUT : 0)), 0});
    set_.add({sandbox_.notifier, POLLIN, 0});
    set_.add({maker_, POLLIN, 0});
    watches_.poll_set(set_);
    if (poll(set_.items, set_.count, patience()) < 0) return;
    short gate = set_[0].revents, children = set_[1].revents, pool = set_[2].revents, notifier = set_[3].revents, maker = set_[4].revents;
    ended_.clear();
    watches_.react(set_.items + 5, ended_);
    // What a process said before it ended comes before its reaping: its child may depend on it.
    if (pool & POLLIN) hear_guest();
    for (pid_t pid : ended_) forget_pools(pid);
    if (children) reap();
    if (notifier & POLLIN) answer_own_file(sandbox_.notifier, sandbox_.proc);
    if (gate) hear_gate();
    if (maker) miss_maker();
    pass_on();
  }

  // A child belongs to nobody until it has claimed its event channel. Those that never do end with the last one that did.
  int patience() {
    if (leader_ == 0 || watches_.has_process()) {
      alone_since_ = 0;
      return crowded_ ? 10 : -1;
    }
    int64_t now = now_ns(CLOCK_MONOTONIC);
    if (alone_since_ == 0) alone_since_ = now;
    int64_t left = alone_since_ + kClaimTime - now;
    if (left <= 0) _exit(0);
    return static_cast<int>(left / 1000000) + 1;
  }

  void reap() {
    signalfd_siginfo drained;
    while (read(children_, &drained, sizeof drained) > 0) continue;
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
      watches_.ended(pid, status);
      forget_pools(pid);
    }
    if (pid < 0 && errno == ECHILD && leader_ > 0) _exit(0);
  }

  void hear_gate() {
    GateMessage message;
    int fd;
    ssize_t got = receive_with_fd(gate_, &message, sizeof message, &fd);
    if (got != sizeof message || fd < 0) return;
    ChannelKind kind = message.pool.kind;
    if (kind == ChannelKind::thread && message.pool.index == 0) {
      if (leader_ == 0) start(message.begin, fd);
      else close(fd);
      return;
    }
    if (kind == ChannelKind::event || kind == ChannelKind::spare) watches_.add_channel(message.pool, fcntl_dup(fd), leader_);
    if (passing_.count >= kPassingMax || !passing_.add({message.pool, fd})) close(fd);
  }

  // The mosgate that made this session is gone. A guest that runs goes on, and the next mosgate finds it; what nobody has come to yet does not.
  void miss_maker() {
    if (leader_ == 0) _exit(0);
    close(maker_);
    maker_ = -1;
  }

  void start(const Begin &begin, int channel) {
    int event = take_passing(ChannelKind::event), memory = take_passing(ChannelKind::memory);
    int error = send_with_fd(pool_, &begin, sizeof begin, -1);
    pid_t pid = error ? error : start_guest(sandbox_, {husk_, channel, event, guests_, memory, cache_, begin});
    if (pid < 0) {
      Welcome welcome{kHelloMagic, static_cast<uint32_t>(-pid), 0};
      send(channel, &welcome, sizeof welcome, MSG_NOSIGNAL | MSG_DONTWAIT);
      fail(pid, "start the guest");
    }
    leader_ = pid;
    watches_.start(pid);
    if (watches_.has_event()) close(channel);
    else watches_.add_channel({PoolType::channel, ChannelKind::thread, 0, 0, 0}, channel, pid);
    if (event >= 0) close(event);
    if (memory >= 0) close(memory);
    if (cache_ >= 0) close(cache_);
    close(husk_);
    error = drop_keeper_rights();
    if (error) fail(error, "drop rights");
  }

  int take_passing(ChannelKind kind) {
    for (size_t i = 0; i < passing_.count; i++) {
      if (passing_[i].message.kind != kind) continue;
      int fd = passing_[i].fd;
      passing_.remove(i);
      return fd;
    }
    return -1;
  }

  void hear_guest() {
    PoolMessage message;
    int fd;
    // Bounded: a guest that writes without end must not keep the keeper from its other work.
    for (int i = 0; i < 64; i++) {
      ssize_t got = receive_with_fd(pool_, &message, sizeof message, &fd);
      if (got < 0) return;
      if (got == sizeof message && message.type == PoolType::watch) claim(message);
      // A process born here has a pool of its own: it must not get its parent's channels.
      if (got == sizeof message && message.type == PoolType::pool && fd >= 0 && pools_.count < kPoolsMax && pools_.add({message.pid, fd})) continue;
      if (fd >= 0) close(fd);
    }
  }

  void forget_pools(pid_t pid) {
    for (size_t i = pools_.count; i-- > 0;) {
      if (pools_[i].pid != pid) continue;
      close(pools_[i].fd);
      pools_.remove(i);
    }
  }
  int pool_of(pid_t owner) {
    for (size_t i = pools_.count; i-- > 0;)
      if (pools_[i].pid == owner) return pools_[i].fd;
    return pool_;
  }

  void claim(const PoolMessage &message) {
    // The husk's first message says that it is about to enter the stub.
    if (!running_ && message.kind == ChannelKind::thread && message.index == 0) {
      running_ = true;
      report(KeeperState::running, 0, "");
    } else {
      watches_.claim(message);
    }
  }

  void pass_on() {
    if (leader_ == 0) return;
    size_t done = 0;
    for (; done < passing_.count; done++) {
      int error = send_with_fd(pool_of(passing_[done].message.owner), &passing_[done].message, sizeof(PoolMessage), passing_[done].fd);
      // Descriptors in flight are limited as well as bytes (unix(7)): both pass when the guest takes some, but only the first can be waited for.
      crowded_ = error == -ETOOMANYREFS;
      if (error == -EAGAIN || crowded_) break;
      close(passing_[done].fd);
    }
    while (done-- > 0) passing_.remove(0);
  }

  static int fcntl_dup(int fd) { return static_cast<int>(syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3)); }

  int gate_, husk_;
  int maker_;   // pidfd
  int cache_;
  int pool_ = -1, guests_ = -1, children_ = -1;
  pid_t leader_ = 0;
  int64_t alone_since_ = 0;
  bool running_ = false, crowded_ = false;
  Sandbox sandbox_;
  Watches watches_;
  Array<Passing> passing_;
  Array<Pool> pools_;
  Array<pollfd> set_;
  Array<pid_t> ended_;
};

// The descriptors that one of these is started with, under numbers from 3 on; kGateEnd is among them.
void place_descriptors(int gate, int file, int other, int maker) {
  int held[4] = {gate, file, other, maker};
  for (int &fd : held) {
    if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, 64)) < 0) _exit(1);
  }
  // 0 to 2 are kept by something harmless, so that no channel is ever mistaken for a standard stream.
  for (int fd = 0; fd < 3; fd++) dup3(held[3], fd, O_CLOEXEC);
  for (int i = 0; i < 4; i++) dup3(held[i], 3 + i, O_CLOEXEC);
}
static_assert(kGateEnd == 5);

// What the keeper runs; `gate` is its end of the socket, `other` mosgate's.
[[noreturn]] void keep(int gate, int husk, int other, int maker, int cache) {
  log_descriptor = -1;
  prctl(PR_SET_NAME, "moskeeper");
  const int kept = cache < 0 ? -1 : fcntl(cache, F_DUPFD_CLOEXEC, 128);
  place_descriptors(gate, husk, other, maker);
  if (kept >= 0) dup3(kept, 7, O_CLOEXEC);
  close_range(kept < 0 ? 7 : 8, ~0u, 0);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  static Keeper keeper(3, 4, 6, kept < 0 ? -1 : 7);
  keeper.run();
}

}  // namespace

// A child with its end of a socket and a pidfd of this process; `become` does not return.
template <class Become>
static pid_t start(uint64_t namespaces, int *gate_end, const Become &become) {
  int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  if (self < 0) return -errno;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
    int error = errno;
    close(self);
    return -error;
  }
  clone_args arguments{};
  arguments.flags = namespaces;
  arguments.exit_signal = SIGCHLD;
  long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) become(pair[1], pair[0], self);
  int error = errno;
  close(self);
  close(pair[1]);
  if (pid < 0) {
    close(pair[0]);
    return -error;
  }
  *gate_end = pair[0];
  return static_cast<pid_t>(pid);
}

pid_t clone_keeper(int husk, int cache, int *gate_end) {
  constexpr uint64_t kNamespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  return start(kNamespaces, gate_end, [&](int gate, int other, int maker) { keep(gate, husk, other, maker, cache); });
}

pid_t start_freezer(int program, int image, int *gate_end) {
  return start(0, gate_end, [&](int gate, int other, int maker) {
    const int kept = fcntl(program, F_DUPFD_CLOEXEC, 128);
    if (kept < 0) _exit(1);
    place_descriptors(gate, image, other, maker);
    char *arguments[] = {const_cast<char *>("mosfreeze"), nullptr}, *environment[] = {nullptr};
    for (int fd = 0; fd < 7; fd++) fcntl(fd, F_SETFD, 0);
    close_range(7, static_cast<unsigned>(kept) - 1, 0);
    close_range(static_cast<unsigned>(kept) + 1, ~0u, 0);
    syscall(SYS_execveat, kept, "", arguments, environment, AT_EMPTY_PATH);
    _exit(1);
  });
}

}  // namespace mosrun
