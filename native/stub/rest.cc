// Home: a thread that comes back within a call of which a part is done (rest.h), or a part of the time that its socket gives it (socket-times.cc), does the
// rest here, natively, and then goes on behind its own instruction as if it had been one call. Until then the stub stays: whoever would take it out finds the thread `finishing`.
#include "rest.h"

#include "stub.h"

namespace mosrun {

namespace {

bool read_program(void *to, u64 from, u64 n) {              // what is missing there is the program's mistake, not a fault here
  IoVec local{address(to), n}, remote{from, n};
  return sys(nr_process_vm_readv, u64(sys(nr_gettid)), address(&local), 1, address(&remote), 1, 0) == i64(n);
}

// The list of what is left of one at `from`, in the slot, whose buffer nobody uses at home.
bool rest_of_vectors(Slot *slot, u64 from, u64 &count, u64 done, u64 most, u64 &to) {
  auto *list = reinterpret_cast<IoVec *>(buffer(slot) + sizeof(MsgHdr));
  if (count > 1024 || !read_program(list, from, count * sizeof(IoVec))) return false;
  while (count && list->length <= done) done -= list->length, ++list, --count;
  if (!count) return false;
  list->base += done;
  list->length -= done;
  if (most) count = cut_list(list, count, most, &IoVec::length);
  to = address(list);
  return true;
}

bool rest_of_call(Slot *slot, u64 nr, u64 *args, u64 done) {
  constexpr u64 message_size = 64, wait_for_one = 0x10000;   // struct mmsghdr; what has come does not wait for more (recvmmsg(2))
  if (nr == syscalls::nr_sendmmsg || nr == syscalls::nr_recvmmsg) {
    args[1] += done * message_size;
    args[2] = minimum<u64>(u32(args[2]), 1024) - done;
    if (nr == syscalls::nr_recvmmsg && args[3] & wait_for_one) args[3] |= msg_dontwait;
    return true;
  }
  Whole w = whole_of(nr, args);
  if (!w.is) return false;
  const u64 most = w.marked ? slot->rest_most : 0;
  skip_done(w, args, done);
  if (w.count >= 0 && most) args[w.count] = minimum(args[w.count], most);
  if (w.vector >= 0) return rest_of_vectors(slot, args[w.vector], args[w.vectors], done, most, args[w.vector]);
  if (w.message < 0) return true;
  auto *message = reinterpret_cast<MsgHdr *>(buffer(slot));
  if (!read_program(message, args[w.message], sizeof *message)) return false;
  message->control = message->control_length = 0;           // went, or came, with the first part
  if (nr == nr_recvmsg) message->name = message->name_length = 0;
  args[w.message] = address(message);
  return rest_of_vectors(slot, message->iov, message->iov_length, done, most, message->iov);
}

// What is not waited for by ppoll(2): what is ready at any time, and what is so only when all of its mark has come, more than is missing (tcp_poll, n_tty_poll).
bool never_waits(const Slot *slot, u64 nr, const u64 *args) {
  return nr == syscalls::nr_getrandom || (nr == syscalls::nr_recvmmsg && args[3] & msg_dontwait) || (slot->rest_most && whole_of(nr, args).marked);
}

}  // namespace

void finish_call(Slot *slot) {
  Registers &r = saved_frame(slot)->context.regs;
  u64 args[6] = {r.di, r.si, r.dx, r.r10, r.r8, r.r9};
  const u64 kept[8] = {r.bx, r.di, r.si, r.dx, r.r10, r.r8, r.r9, r.ip + 2};
  const bool partly = slot->rest_ip == kept[7], timed = !partly && slot->deadline && slot->deadline_ip == kept[7] && may_wait_by_socket(r.ax) && socket_time(u32(r.di), r.ax) > 0;
  if (!partly) slot->rest_ip = 0;
  if (!partly && !timed) return;
  if (timed) slot->rest_done = 0;
  else if (!rest_of_call(slot, r.ax, args, slot->rest_done)) {   // as after a signal
    r.ax = slot->rest_done;
    r.ip = slot->rest_ip;
    slot->rest_ip = 0;
    return;
  }
  constexpr int16_t in = 1, out = 4;
  copy(slot->rest_registers, kept, sizeof kept);
  copy(slot->rest_call, args, sizeof args);
  slot->rest_call[6] = r.ax;
  slot->rest_ready.fd = int(args[0]);
  slot->rest_ready.events = is_writing(r.ax) || r.ax == nr_connect ? out : in;
  const i64 rest = timed ? maximum<i64>(0, i64(slot->deadline) - now()) : 0;
  slot->scratch[0] = u64(rest / 1000000000), slot->scratch[1] = u64(rest % 1000000000);
  slot->rest_over = timed ? u64(r.ax == nr_connect ? -EINPROGRESS_ : -EAGAIN_) : 0;
  store(&slot->finishing, 1);
  r.bx = address(slot);
  r.di = address(&slot->rest_ready), r.si = 1, r.dx = timed || never_waits(slot, r.ax, args) ? address(slot->scratch) : 0, r.r10 = 0, r.r8 = 8;
  r.ax = nr_ppoll;
  r.ip = address(finish_rest);
}

}  // namespace mosrun
