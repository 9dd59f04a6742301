// mosfreeze: keeps one process whose memory is on disk. To the process's deputy it is a node like any other, so a process is frozen by a move to here,
// from home or from a node that hosts it, and thawed by a move home or on; nothing of it runs meanwhile. mosgate starts it in the place of a guest's
// keeper, hands it the channels, and it outlives mosgate as keepers do. The image has no name: it goes when this does.
//
//   mosfreeze      descriptors: 3 mosgate, 4 the image, 5 mosgate's end of 3 for the next one, 6 a pidfd of mosgate
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "engine/confine.h"
#include "gate/keeper.h"
#include "gate/sockets.h"
#include "freezer/process.h"
#include "stub/faults.h"

namespace mosrun {

namespace {

constexpr int kGate = 3, kImage = 4, kMaker = 6;
constexpr int kPatience = 15000;       // ms without progress of those who send, or are to take, a process
constexpr int kLinkPatience = 5000;    // ms for the channel to the next node
constexpr unsigned kFewSpares = 2;
constexpr uint16_t kNoSpare = 0xffff;  // home has none of this number, and says so: without a channel for the memory the process stays

constexpr int kCalls[] = {
    SYS_read, SYS_write, SYS_close, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_shutdown, SYS_setsockopt, SYS_getsockopt, SYS_fcntl, SYS_poll,
    SYS_ppoll, SYS_lseek, SYS_fdatasync, SYS_ftruncate, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex, SYS_clock_gettime,
    SYS_getpid, SYS_gettid, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_tgkill, SYS_restart_syscall, SYS_exit, SYS_exit_group,
};

void set_timeout(int fd, int ms) {
  timeval t{ms / 1000, ms % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

int receive_all(int fd, void *data, size_t size) {
  for (auto *to = static_cast<char *>(data); size;) {
    ssize_t n = recv(fd, to, size, MSG_WAITALL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -errno : -EPIPE;
    to += n;
    size -= static_cast<size_t>(n);
  }
  return 0;
}

int send_all(int fd, const void *data, size_t size) {
  for (auto *from = static_cast<const char *>(data); size;) {
    ssize_t n = send(fd, from, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    from += n;
    size -= static_cast<size_t>(n);
  }
  return 0;
}

class Stream final : public Source, public Sink {
 public:
  explicit Stream(int fd) : fd_(fd) {}
  int read(void *data, size_t size) override { return receive_all(fd_, data, size); }
  int write(const void *data, size_t size) override { return send_all(fd_, data, size); }

 private:
  int fd_;
};

class Freezer final : public HomeSinks {
 public:
  [[noreturn]] void run() {
    for (int &fd : threads_) fd = -1;
    report(KeeperState::ready, 0, "");
    while (!begun_) {
      pollfd either[2] = {{kGate, POLLIN, 0}, {kMaker, POLLIN, 0}};
      if (poll(either, 2, -1) < 0) continue;
      if (either[0].revents) hear_gate();
      else if (either[1].revents) _exit(0);          // nobody can come here any more
    }
    close(kMaker);
    arrive();
    for (;;) keep();
  }

  int park(uint16_t index, bool last, const void *slot, size_t size) override {
    Request r{};
    r.magic = kRequestMagic;
    r.op = Op::park;
    r.in_size = static_cast<uint32_t>(size);
    r.args[0] = last;
    r.args[1] = onward_ ? 0 : spare_.index;
    r.args[2] = onward_;
    r.args[3] = onward_ && memory_ < 0 ? ENOLINK : 0;
    int error = send_all(threads_[index], &r, sizeof r);
    return error ? error : send_all(threads_[index], slot, size);
  }
  int begin_memory(uint64_t brk) override {
    if (onward_ || spare_.fd < 0) return -ENOLINK;
    Request r{};
    r.magic = kRequestMagic;
    r.op = Op::dump;
    r.args[0] = brk;
    r.args[1] = static_cast<uint64_t>(thawed_at_);
    return memory().write(&r, sizeof r);
  }
  Sink &memory() override { return stream_; }

 private:
  void report(KeeperState state, int error, const char *step) {
    KeeperReport message{state, error, {}};
    strncpy(message.step, step, sizeof message.step - 1);
    send_with_fd(kGate, &message, sizeof message, -1);
  }

  // The process goes on where it is: its home hears why.
  [[noreturn]] void refuse(int error, const char *step) {
    RecordHeader header{Record::fail, static_cast<uint32_t>(-error), 0};
    send_all(first(), &header, sizeof header);
    shutdown(first(), SHUT_WR);
    report(KeeperState::failed, -error, step);
    _exit(1);
  }

  int &first() { return threads_[begin_.first]; }
  bool fails(Fault here) const { return begin_.fault == static_cast<uint32_t>(here); }

  void hear_gate() {
    GateMessage message;
    int fd;
    ssize_t got = receive_with_fd(kGate, &message, sizeof message, &fd);
    if (got != sizeof message || fd < 0) return;
    const PoolMessage &pool = message.pool;
    auto put = [](int &place, int channel) {
      if (place >= 0) close(place);
      place = channel;
    };
    switch (pool.kind) {
      case ChannelKind::event: return put(event_, fd);
      case ChannelKind::memory: memory_number_ = pool.index / kStreams; return put(memory_, fd);
      case ChannelKind::spare:
        if (!spares_.add({fd, pool.index})) close(fd);
        return;
      case ChannelKind::thread: break;
    }
    bool begins = !begun_ && pool.index == 0;
    if (begins) begin_ = message.begin, begun_ = true;
    uint32_t slot = begins ? begin_.first : pool.index;
    if (slot >= kMaxSlots || (!begins && begun_ && slot == begin_.first)) close(fd), slot < kMaxSlots ? void() : _exit(1);
    else put(threads_[slot], fd);
  }

  bool have_all() {
    for (uint16_t slot : process_.living)
      if (threads_[slot] < 0) return false;
    return event_ >= 0;
  }

  void await_channels() {
    for (int64_t until = now_ns(CLOCK_MONOTONIC) + kPatience * 1000000LL; !have_all();) {
      int64_t left = (until - now_ns(CLOCK_MONOTONIC)) / 1000000;
      pollfd gate{kGate, POLLIN, 0};
      if (left <= 0 || poll(&gate, 1, static_cast<int>(left)) == 0) refuse(-ETIMEDOUT, "channels");
      hear_gate();
    }
  }

  void arrive() {
    Welcome welcome{kHelloMagic, 0, 0};
    if ((begin_.memory != 0) != (memory_ >= 0)) welcome.status = EINVAL;
    if (send_all(first(), &welcome, sizeof welcome) || welcome.status) _exit(1);
    const int source = memory_ >= 0 ? memory_ : first();
    set_timeout(source, kPatience);
    set_timeout(first(), kPatience);
    {
      ImageWriter image(kImage);
      Stream from(source);
      int error = image.begin();
      if (!error) error = take_in(from, image, process_, begin_.fault);
      if (!error) error = image.finish();
      if (error) refuse(error, "image");
    }
    if (memory_ >= 0) close(memory_), memory_ = -1;
    await_channels();
    if (fails(Fault::freeze_silent)) poll(nullptr, 0, kPatience * 2);
    struct { RecordHeader header; Sent got; } ready{{Record::ready, 0, sizeof(Sent)}, process_.got};
    RecordHeader word{};
    if (send_all(first(), &ready, sizeof ready) || receive_all(first(), &word, sizeof word) || word.type != Record::go || word.length) _exit(1);
    if (fails(Fault::freeze_dies_at_go)) _exit(1);
    if (fails(Fault::freeze_not_running)) poll(nullptr, 0, kPatience * 2);
    word = {Record::running, 0, 0};
    if (send_all(first(), &word, sizeof word)) _exit(1);
    set_timeout(first(), 0);
    report(KeeperState::running, 0, "");
    bool lives = false;
    for (uint16_t slot : process_.living) lives = lives || slot == begin_.first;
    if (!lives) close(first()), first() = -1;         // of a first thread that has ended: only the move needed it
  }

  // --- frozen ------------------------------------------------------------------------------------------------------------------

  void keep() {
    pollfd set[2] = {{kGate, POLLIN, 0}, {event_, POLLIN | POLLRDHUP, 0}};
    if (poll(set, 2, -1) < 0) return;
    if (set[0].revents & POLLIN) hear_gate();
    if (!set[1].revents) return;
    Event event{};
    if (receive_all(event_, &event, sizeof event)) _exit(0);   // the process has ended
    if (event.type == EventType::home) leave(false, 0);
    if (event.type == EventType::on) leave(true, event.argument);
    // Signals wait at home until somebody asks for them, and what stands still need not be told to.
  }

  void leave(bool onward, uint32_t number) {
    thawed_at_ = now_ns(CLOCK_MONOTONIC);
    onward_ = onward;
    if (onward) await_link(number);
    else take_spare();
    stream_ = Stream(onward ? memory_ : spare_.fd);
    const int error = onward ? go_on() : go_home();
    if (onward) tell_sent(error);
    if (memory_ >= 0) close(memory_), memory_ = -1;
    if (spare_.fd >= 0) close(spare_.fd), spare_ = {-1, kNoSpare};
    for (uint16_t slot : process_.living) {
      Reply verdict{};
      // Their end says that the process runs, or has ended, elsewhere.
      if (receive_all(threads_[slot], &verdict, sizeof verdict) || verdict.result != kStayAway) _exit(0);
    }
    begin_.fault = 0;
    refill();
  }

  int go_home() {
    ImageReader image(kImage);
    if (spare_.fd >= 0) set_timeout(spare_.fd, kPatience);
    int error = image.begin();
    return error ? error : send_home(image, process_, *this, begin_.fault);
  }

  int go_on() {
    // Registers are sent twice: to home, which waits for them, and to the next node.
    {
      ImageReader image(kImage);
      int error = image.begin();
      if (!error) error = send_home(image, process_, *this, 0);
      if (error && error != -ENOLINK) return error;
    }
    if (memory_ < 0) return -ENOLINK;
    set_timeout(memory_, kPatience);
    ImageReader image(kImage);
    int error = image.begin();
    return error ? error : send_on(image, stream_, begin_.fault);
  }

  void tell_sent(int error) {
    if (memory_ < 0) return;                          // so said the last park
    Request sent{};
    sent.magic = kRequestMagic;
    sent.op = Op::dump;
    sent.args[0] = static_cast<uint64_t>(static_cast<int64_t>(error));
    if (process_.living.count) send_all(threads_[process_.living[process_.living.count - 1]], &sent, sizeof sent);
  }

  void await_link(uint32_t number) {
    for (int64_t until = now_ns(CLOCK_MONOTONIC) + kLinkPatience * 1000000LL; memory_ < 0 || memory_number_ != number;) {
      int64_t left = (until - now_ns(CLOCK_MONOTONIC)) / 1000000;
      pollfd gate{kGate, POLLIN, 0};
      if (left <= 0 || poll(&gate, 1, static_cast<int>(left)) == 0) break;
      hear_gate();
    }
    if (memory_ >= 0 && memory_number_ != number) close(memory_), memory_ = -1;
  }

  void take_spare() {
    spare_ = {-1, kNoSpare};
    if (!spares_.count || fails(Fault::thaw_no_spare)) return;
    spare_ = spares_[spares_.count - 1];
    spares_.remove(spares_.count - 1);
  }

  // A thaw that fails costs a channel; home opens another, which comes by mosgate.
  void refill() {
    if (spares_.count >= kFewSpares) return;
    Request r{};
    Reply reply{};
    r.magic = kRequestMagic;
    r.op = Op::refill;
    const int channel = threads_[process_.living[0]];
    if (send_all(channel, &r, sizeof r) || receive_all(channel, &reply, sizeof reply)) _exit(0);
  }

  Begin begin_{};
  bool begun_ = false, onward_ = false;
  int event_ = -1, memory_ = -1;
  uint32_t memory_number_ = 0;
  int64_t thawed_at_ = 0;
  Spare spare_{-1, kNoSpare};
  Stream stream_{-1};
  Array<Spare> spares_;
  int threads_[kMaxSlots];
  FrozenProcess process_;
};

}  // namespace

}  // namespace mosrun

int main() {
  using namespace mosrun;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  prctl(PR_SET_NAME, "mosfreeze");
  const char *step = "";
  if (int error = confine({kCalls, sizeof kCalls / sizeof *kCalls, 0, kFreezerUsers}, &step)) {
    KeeperReport message{KeeperState::failed, -error, {}};
    strncpy(message.step, step, sizeof message.step - 1);
    send_with_fd(kGate, &message, sizeof message, -1);
    return 1;
  }
  static Freezer freezer;
  freezer.run();
}
