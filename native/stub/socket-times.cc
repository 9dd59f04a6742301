// Home, while away: sockets with a time-out of their own (SO_RCVTIMEO, SO_SNDTIMEO). Each call on such a socket has the whole of that time, so one that
// is let go in its middle and issued again would begin it anew at each move. The time of the first of them counts: what is left of it is set as a timer
// of this thread's, whose signal puts it out of the call.
#include <initializer_list>

#include "stub.h"
#include "syscalls.h"

namespace mosrun {

namespace {

constexpr int kTimerNotify = 4;                              // SIGEV_THREAD_ID
constexpr i64 kAtLeast = 2000000;                            // ns: what has come meanwhile is to be taken, not timed out

bool sends(u64 nr) {
  for (u64 one : {u64(nr_write), u64(syscalls::nr_writev), u64(nr_connect), u64(nr_sendto), u64(nr_sendmsg)})
    if (nr == one) return true;
  return false;
}

// A guest makes many messages' call one by one.
u64 as_made(u64 nr) { return nr == syscalls::nr_recvmmsg ? u64(nr_recvmsg) : nr == syscalls::nr_sendmmsg ? u64(nr_sendmsg) : nr; }

}  // namespace

i64 socket_time(u64 fd, u64 nr) {
  struct { i64 seconds, microseconds; } t{};
  u32 length = sizeof t;
  if (sys(nr_getsockopt, fd, 1, sends(nr) ? 21 : 20, address(&t), address(&length))) return 0;   // SOL_SOCKET, SO_SNDTIMEO or SO_RCVTIMEO
  return t.seconds > 4000000000 ? 0 : t.seconds * 1000000000 + t.microseconds * 1000;
}

bool may_wait_by_socket(u64 nr) { return nr < syscalls::count && syscalls::calls[nr].restart == syscalls::Restart::sys && (syscalls::fd_args[nr] & 1); }

SocketTime::SocketTime(Slot *slot, u64 nr, u64 fd) : slot_(slot), nr_(nr), fd_(fd) {
  slot->socket_wait = u32(SocketWait::none);
  if (!may_wait_by_socket(nr)) {
    slot->socket_deadline = 0;
    return;
  }
  began_ = now();
  store(&slot->socket_wait, u32(SocketWait::timed));
  if (slot->socket_deadline && (slot->socket_call != nr || slot->socket != fd)) slot->socket_deadline = 0;
  if (!slot->socket_deadline) return;
  Event64 event{};
  event.value = kOurs;
  event.signal = kControlSignal;
  event.notify = kTimerNotify;
  event.tid = slot->tid;
  if (sys(nr_timer_create, clock_monotonic, address(&event), address(&timer_))) {
    timer_ = -1;                                             // RLIMIT_SIGPENDING: it may take longer
    return;
  }
  i64 rest = maximum<i64>(kAtLeast, i64(slot->socket_deadline) - began_);
  TimeSpec once[2] = {{0, 0}, {rest / 1000000000, rest % 1000000000}};
  sys(nr_timer_settime, u64(timer_), 0, address(once), 0);
}

i64 SocketTime::settle(i64 result) {
  if (timer_ >= 0) sys(nr_timer_delete, u64(timer_));
  SocketWait how = SocketWait(load(&slot_->socket_wait));
  store(&slot_->socket_wait, u32(SocketWait::none));
  if (result != kRestart) return slot_->socket_deadline = 0, result;
  if (how == SocketWait::over && slot_->socket_deadline) {
    slot_->socket_deadline = 0;
    __atomic_and_fetch(&slot_->interrupt, ~(2u | kBegun), __ATOMIC_ACQ_REL);
    return nr_ == nr_connect ? -EINPROGRESS_ : -EAGAIN_;
  }
  if (how == SocketWait::let_go && !slot_->socket_deadline) {
    i64 whole = socket_time(fd_, nr_);
    if (whole > 0) slot_->socket_deadline = u64(began_ + whole), slot_->socket_call = nr_, slot_->socket = fd_;
  }
  return result;
}

// Of the call with which the thread left home, as its mover found it.
void take_socket_time(Slot *slot) {
  const Registers &regs = saved_frame(slot)->context.regs;
  bool waits = slot->deadline && slot->deadline_ip == regs.ip + 2 && may_wait_by_socket(regs.ax);
  slot->socket_deadline = waits ? slot->deadline : 0;
  slot->socket_call = as_made(regs.ax);
  slot->socket = u32(regs.di);
}

// For whoever moves it next, where the thread goes on at home with the call.
void leave_socket_time(Slot *slot) {
  const Registers &regs = saved_frame(slot)->context.regs;
  if (!slot->socket_deadline || as_made(regs.ax) != slot->socket_call || u32(regs.di) != slot->socket || slot->begun_ip != regs.ip + 2) return;
  slot->deadline = slot->socket_deadline;
  slot->deadline_ip = slot->begun_ip;
}

}  // namespace mosrun
