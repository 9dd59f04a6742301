// Guest: a call goes home as the table describes it.
//
//   payload   relocations │ content of in-out structures │ inputs
//   out       in-out structures │ outputs of fixed size │ the one output whose length the result tells
//
// Pointers become offsets; what points from within a structure (iovec, msghdr) is a relocation. Everything the program passes is touched from user
// mode first, so that a bad pointer is found before the call has an effect, and pages that are still at home are fetched.
#include "marshal.h"

#include "rest.h"
#include "syscalls.h"

namespace mosrun {

using syscalls::Arg;
using syscalls::Dir;
using syscalls::Len;
using syscalls::Place;

namespace {

constexpr unsigned kParts = 1024 + 24;
constexpr u64 kAlign = 511;
constexpr u64 kSmall = 64 << 10;          // copied; larger inputs are sent from where they are

struct Copied { u64 offset, length, to; const u32 *limit; bool is_set; };   // of the out buffer, to the program

// One request under construction, in the slot's buffer.
struct Builder {
  Trap &trap;
  Request r{};
  IoVec *in;
  Relocation *relocations;
  uint8_t *inout, *inputs, *outs;
  u64 inout_used = 0, inputs_used = 0, out_used = 0;
  IoVec *out;
  u64 out_parts = 0;
  Copied back[8];
  unsigned backs = 0;
  i64 error = 0;

  explicit Builder(Trap &t) : trap(t) {
    uint8_t *p = buffer(t.slot);
    auto take = [&](u64 n) { uint8_t *at = p; p += align_up(n, 64); return at; };
    in = reinterpret_cast<IoVec *>(take(kParts * sizeof(IoVec)));
    out = reinterpret_cast<IoVec *>(take(kParts * sizeof(IoVec)));
    relocations = reinterpret_cast<Relocation *>(take(kParts * sizeof(Relocation)));
    inout = take(kSmall);
    inputs = take(3 * kSmall);
    outs = take(2 * kSmall);
  }
};

bool fits(u64 used, u64 n, u64 room) { return n <= room && used <= room - n; }

}  // namespace

i64 touch_range(u64 at, u64 length, bool write) {
  u64 end = at + length;
  if (end < at) return 0;
  for (u64 p = at; p < end; p = align_down(p, kPage) + kPage)
    if (p >> 47 || (write ? touch_write(p) : touch_read(p))) return i64(p - at);
  return i64(length);
}

// What the kernel is to find itself: it asks nobody for a page that is still at home. False: it is the stub's, and at home nothing is there.
bool bring_range(u64 at, u64 length, bool write) {
  if (length && touches_stub(at, length)) return false;
  touch_range(at, length, write);
  return true;
}

// Copies a string with its final zero; without one within `max` bytes, the first max - 1 bytes are sent: home then finds it too long.
i64 copy_string(uint8_t *to, u64 from, u64 max) {
  u64 n = 0;
  while (n < max - 1) {
    u64 part = minimum(max - 1 - n, kPage - (from + n) % kPage);
    if ((from + n) >> 47 || copy_program(to + n, pointer<void>(from + n), part)) return -EFAULT_;
    for (u64 i = 0; i < part; ++i)
      if (!to[n + i]) return i64(n + i + 1);
    n += part;
  }
  to[n] = 0;
  return i64(n + 1);
}

namespace {

// --- time-outs that survive being let go ---------------------------------------------------------------------------------------
struct Timing {
  i64 deadline = 0;                       // CLOCK_MONOTONIC ns, 0 = none
  bool adjusted = false;
  i64 rest = 0;                           // ns
};

Timing timing(Trap &trap, i64 asked) {
  Timing t;
  Slot *slot = trap.slot;
  i64 at = now();
  if (slot->deadline && slot->deadline_ip == trap.context->regs.ip) {
    t.deadline = i64(slot->deadline);
    t.rest = maximum<i64>(0, t.deadline - at);
    t.adjusted = true;
  } else {
    t.rest = asked;
    t.deadline = asked > (1ll << 60) ? 0 : at + asked;
  }
  return t;
}

// What an argument given by a command means. False: the table does not know, or says that it comes home.
bool command(const Arg &arg, const u64 *args, Dir &dir, u64 &size) {
  syscalls::Command c = syscalls::command_of(syscalls::List(arg.plus), u32(args[arg.a]));
  dir = c.dir;
  size = c.size;
  return c.place == Place::home;
}

constexpr u64 kAddressMost = 128;           // struct sockaddr_storage: no kernel writes more, whatever room it is told of

i64 length_of(u32 nr, const Arg &arg, const u64 *args, u64 at, u64 &n) {
  switch (arg.len) {
    case Len::none: n = 0; return 0;
    case Len::fixed: n = arg.size; return 0;
    case Len::arg: case Len::ret: {
      u64 count = args[arg.a];
      if (syscalls::int_args[nr] >> arg.a & 1) count = u32(count);
      if (arg.size && count > (kTransferMax / 2 - arg.plus) / arg.size) count = (kTransferMax / 2 - arg.plus) / arg.size;
      n = arg.plus + count * arg.size;
      return 0;
    }
    case Len::pointer: case Len::first: {
      u32 room = 0;
      u64 from = arg.len == Len::pointer ? args[arg.a] : at;
      if (!from || copy_program(&room, pointer<void>(from), 4)) return -EFAULT_;
      n = arg.len == Len::pointer ? minimum<u64>(room, nr == syscalls::nr_getsockopt ? kSmall - 64 : kAddressMost) : minimum<u64>(room ? room : arg.size, 4096) + arg.plus;
      return 0;
    }
    case Len::fdset: {
      i64 count = i64(int32_t(args[0]));
      n = count <= 0 ? 0 : minimum<u64>((u64(count) + 63) / 64 * 8, 8192);
      return 0;
    }
  }
  return -EINVAL_;
}

}  // namespace

namespace {

class Call {
 public:
  // `skip`: so much of what a list of buffers names is done.
  Call(Trap &trap, u32 nr, u64 *args, u64 skip = 0) : b_(trap), trap_(trap), nr_(nr), args_(args), call_(syscalls::calls[nr]), skip_(skip) {
    b_.r.nr = uint16_t(nr);
    b_.r.op = Op::call;
    copy(b_.r.args, args, sizeof b_.r.args);
  }

  i64 run() {
    // In-out parts come first in both buffers, so arguments are taken in three rounds.
    for (int round = 0; round < 3; ++round)
      for (unsigned i = 0; i < call_.nargs; ++i)
        if (i64 error = take(i, round)) return error == kHome ? go_home(trap_, int(nr_)) : error;
    return send();
  }
  u64 unfinished() const { return unfinished_; }            // transferred by a call that is to be issued again
  u64 asked() const { return gather_total_; }
  void is_rest() { b_.r.flags |= kRest; }
  bool is_cut() const { return gather_cut_; }               // the list names more than one request carries

 private:
  static constexpr i64 kHome = -100000;

  i64 take(unsigned i, int round) {
    Arg arg = call_.arg[i];
    u64 at = args_[i];
    Dir dir = arg.dir;
    u64 size = 0;
    if (dir == Dir::command) {
      if (!command(arg, args_, dir, size)) return kHome;
      arg.len = Len::fixed;
      arg.size = u32(size);
    }
    bool rounds[3] = {dir == Dir::inout || dir == Dir::msg_out || dir == Dir::ifconf, dir == Dir::in || dir == Dir::string || dir == Dir::sigset_in || dir == Dir::iovec_in || dir == Dir::iovec_out || dir == Dir::msg_in, dir == Dir::out};
    if (!rounds[round] || !at) return 0;
    if (dir == Dir::iovec_in || dir == Dir::iovec_out) return take_iovec(i, at, args_[arg.a], dir == Dir::iovec_out);
    if (dir == Dir::msg_in || dir == Dir::msg_out) return take_message(i, at, dir == Dir::msg_out);
    if (dir == Dir::string) return take_string(i, at);
    if (dir == Dir::ifconf) return take_interfaces(i, at);
    u64 n = 0;
    if (i64 error = length_of(nr_, arg, args_, at, n)) return error;
    if (dir == Dir::sigset_in) return take_sigset(i, at, arg.size);
    if (arg.len == Len::pointer) {
      if (u64 good = u64(touch_range(at, n, true)); good && !(at >> 47)) n = good;   // the rest it may never come to
      clamp_room(arg.a, u32(n));
      room_back_ = int(b_.backs);
    } else if (arg.len == Len::fdset) {
      clamp_set(at, n);
    } else if (moves_bytes(nr_) && (arg.len == Len::arg || arg.len == Len::ret) && !(syscalls::int_args[nr_] >> arg.a & 1) && (args_[arg.a] >> 47 || (at + args_[arg.a]) >> 47)) {
      b_.r.args[i] = kBadPointer;                                       // access_ok(): no such memory can be
      return 0;
    }
    if (dir == Dir::inout) return take_inout(i, at, n, arg);
    if (dir == Dir::in) return take_in(i, at, n, arg);
    return take_out(i, at, n, arg);
  }

  i64 take_string(unsigned i, u64 at) {
    if (!fits(b_.inputs_used, 4200, 3 * kSmall)) return -ENOMEM_;
    i64 n = copy_string(b_.inputs + b_.inputs_used, at, 4097);
    if (n < 0) return n;
    point_in(i, b_.inputs_used);
    b_.inputs_used += align_up(u64(n), 8);
    return 0;
  }
  void point_in(unsigned i, u64 input_offset) {
    b_.r.in_pointers |= uint8_t(1 << i);
    b_.r.args[i] = b_.inout_used + input_offset;
  }

  // Not every call looks at once, or at all: home gets a pointer as bad as this one, and does what the kernel does with it.
  i64 bad_pointer(unsigned i, const Arg &arg) {
    if (arg.len == Len::pointer || arg.len == Len::first) return -EFAULT_;
    b_.r.args[i] = kBadPointer;
    return 0;
  }

  i64 take_in(unsigned i, u64 at, u64 n, const Arg &arg) {
    if (call_.timeout != syscalls::Timeout::none && call_.timeout_arg == i) return take_timeout(i, at);
    if (n > kSmall || !fits(b_.inputs_used, n, 3 * kSmall)) {
      u64 good = u64(touch_range(at, n, false));
      if (good < n) return take_cut(i, at, good, arg);
      if (arg.len == Len::arg && n != args_[arg.a] && arg.size == 1) b_.r.args[arg.a] = n;
      send_from_place(i, at, n);
      return 0;
    }
    if (n && copy_program(b_.inputs + b_.inputs_used, pointer<void>(at), n)) return take_cut(i, at, u64(touch_range(at, n, false)), arg);
    if (call_.flags & syscalls::LARGE_OK && arg.len == Len::arg) b_.r.in_align = uint16_t((at - b_.inout_used - b_.inputs_used) & kAlign);
    bool set = (nr_ == 128 || nr_ == 130) ? i == 0 : (nr_ == 282 || nr_ == 289) && i == 1;   // rt_sigtimedwait, rt_sigsuspend, signalfd, signalfd4
    if (set && n == 8) {
      u64 &signals = *reinterpret_cast<u64 *>(b_.inputs + b_.inputs_used);
      if (i == 1 && signals & bit(kControlSignal)) return kHome;          // it would read ours
      signals &= ~bit(kControlSignal);
    }
    point_in(i, b_.inputs_used);
    b_.inputs_used += align_up(n, 8);
    return 0;
  }

  void send_from_place(unsigned i, u64 at, u64 n) {
    large_ = {at, n};
    large_argument_ = int(i);
  }
  // Memory that ends too early: what there is goes home, and the kernel there finds the end as it would here, in whatever order it looks at things.
  // Not every call looks at a structure at all: a pointer as bad as this one.
  i64 take_cut(unsigned i, u64 at, u64 good, const Arg &arg) {
    if (arg.len != Len::arg || at >> 47 || large_argument_ >= 0) {
      b_.r.args[i] = kBadPointer;
      return 0;
    }
    b_.r.flags |= kCut;
    send_from_place(i, at, good);
    return 0;
  }

  i64 take_sigset(unsigned i, u64 at, u64 size) {
    u64 words[2] = {};
    if (copy_program(words, pointer<void>(at), size)) return -EFAULT_;
    if (!fits(b_.inputs_used, 32, 3 * kSmall)) return -ENOMEM_;
    auto *set = reinterpret_cast<u64 *>(b_.inputs + b_.inputs_used);
    if (size == 16) {                                                   // pselect6: { set, size }
      set[0] = 0;
      set[1] = words[1];
      if (words[0]) {
        if (copy_program(&set[2], pointer<void>(words[0]), 8)) return -EFAULT_;
        set[2] &= ~bit(kControlSignal);
        relocate(u32(b_.inout_used + b_.inputs_used), u32(b_.inout_used + b_.inputs_used + 16));
      }
    } else {
      set[0] = words[0] & ~bit(kControlSignal);
    }
    point_in(i, b_.inputs_used);
    b_.inputs_used += 32;
    return 0;
  }

  i64 take_inout(unsigned i, u64 at, u64 n, const Arg &arg) {
    if (!fits(b_.inout_used, n, kSmall)) return kHome;                    // more than 8,192 descriptors for poll
    bool timeout = call_.timeout != syscalls::Timeout::none && call_.timeout_arg == i;   // may be constant: what is left is then not told
    if (n && (copy_program(b_.inout + b_.inout_used, pointer<void>(at), n) || (!timeout && touch_range(at, n, true) != i64(n)))) {
      return timeout ? -EFAULT_ : bad_pointer(i, arg);
    }
    if (timeout) {
      auto *t = reinterpret_cast<TimeSpec *>(b_.inout + b_.inout_used);
      i64 unit = call_.timeout == syscalls::Timeout::timeval_inout ? 1000 : 1;
      timing_ = timing(trap_, nanoseconds(*t, unit));
      if (timing_.adjusted) *t = {timing_.rest / 1000000000, timing_.rest % 1000000000 / unit};
    }
    if (!timeout || touch_range(at, n, true) == i64(n)) give_back(b_.inout_used, n, at, nullptr, arg.len == Len::fdset);
    point_out(i, b_.inout_used);
    if (arg.len == Len::fixed && n == 4) room_at_[i] = b_.inout + b_.inout_used;
    b_.inout_used += align_up(n, 8);
    b_.out_used = b_.inout_used;
    return 0;
  }
  // What is not as programs do it is for home.
  i64 take_interfaces(unsigned i, u64 at) {
    InterfaceList list;
    if (copy_program(&list, pointer<void>(at), sizeof list) || touch_range(at, sizeof list, true) != i64(sizeof list)) return kHome;
    const u64 room = list.buffer ? u64(list.length) : 0;
    if ((list.buffer && list.length < 0) || room > kSmall || touch_range(list.buffer, room, true) != i64(room)) return kHome;
    copy(b_.inout, &list, sizeof list);
    b_.inout_used = b_.out_used = sizeof list;
    point_out(i, 0);
    give_back(0, sizeof list.length, at, nullptr);
    if (!list.buffer) return 0;
    relocate(offsetof(InterfaceList, buffer), u32(b_.out_used) | kInOut);
    give_back(b_.out_used, room, list.buffer, reinterpret_cast<u32 *>(b_.outs));
    b_.out_used += align_up(room, 8);
    return 0;
  }
  static bool moves_bytes(u32 nr) {
    return nr == nr_read || nr == nr_write || nr == nr_pread64 || nr == syscalls::nr_pwrite64 || nr == nr_sendto || nr == nr_recvfrom;
  }
  // The kernel looks at as much of a set as the process's table of descriptors is long, and nobody has more in memory than that for sure.
  void clamp_set(u64 at, u64 &n) {
    const u64 good = align_down(u64(touch_range(at, n, true)), 8);
    if (good >= n || !good) return;
    n = good;
    b_.r.args[0] = minimum(b_.r.args[0], n * 8);
  }
  // The room that home's kernel reads must not be more than there is.
  void clamp_room(unsigned a, u32 room) {
    room_argument_ = int(a);
    room_ = room;
  }
  void point_out(unsigned i, u64 offset) {
    b_.r.out_pointers |= uint8_t(1 << i);
    b_.r.args[i] = offset;
  }
  void give_back(u64 offset, u64 n, u64 to, const u32 *limit, bool is_set = false) { b_.back[b_.backs++] = {offset, n, to, limit, is_set}; }

  i64 take_timeout(unsigned i, u64 at) {
    TimeSpec t;
    if (copy_program(&t, pointer<void>(at), sizeof t)) return -EFAULT_;
    if (call_.timeout == syscalls::Timeout::timespec && t.seconds >= 0 && u64(t.nanoseconds) < 1000000000) {
      timing_ = timing(trap_, nanoseconds(t, 1));
      if (timing_.adjusted) t = {timing_.rest / 1000000000, timing_.rest % 1000000000};
    }
    copy(b_.inputs + b_.inputs_used, &t, sizeof t);
    point_in(i, b_.inputs_used);
    b_.inputs_used += sizeof t;
    return 0;
  }

  i64 take_out(unsigned i, u64 at, u64 n, const Arg &arg) {
    if (arg.len == Len::ret) {
      if (arg.size > 1 && syscalls::int_args[nr_] >> arg.a & 1 && i32(u32(args_[arg.a])) < 0) return -EINVAL_;   // a number of things below zero
      u64 good = n ? u64(touch_range(at, n, true)) : 0;
      if (good < n) {
        if (at >> 47) {
          b_.r.args[i] = kBadPointer;
          return 0;
        }
        n = good;
        b_.r.flags |= kCut;
      } else if (arg.size) {
        b_.r.args[arg.a] = (n - arg.plus) / arg.size;
      }
      tail_ = int(i);
      b_.out[0] = {at, n};
      b_.out_parts = 1;
      b_.r.result_size = arg.size;
      tail_fixed_ = minimum<u64>(arg.plus, n);
      tail_length_ = n;
      return 0;
    }
    if (n > kSmall || !fits(b_.out_used, n, 2 * kSmall)) {              // large, but of a length known beforehand
      if (touch_range(at, n, true) != i64(n)) return b_.r.args[i] = kBadPointer, 0;
      tail_ = int(i);
      b_.out[0] = {at, n};
      b_.out_parts = 1;
      tail_fixed_ = n;
      tail_length_ = n;
      return 0;
    }
    if (n && (at >> 47 || touch_write(at) || touch_write(at + n - 1))) return b_.r.args[i] = kBadPointer, 0;
    give_back(b_.out_used, n, at, nullptr);
    point_out(i, b_.out_used);
    b_.out_used += align_up(n, 8);
    return 0;
  }

  void relocate(u32 position, u32 target) { b_.relocations[b_.r.relocations++] = {position, target}; }

  // An array of { base, length }. Outputs are received straight into the program's buffers, inputs sent from there.
  i64 take_iovec(unsigned i, u64 at, u64 count, bool out) {
    if (count > 1024) return -EINVAL_;
    u64 offset = b_.inputs_used;
    if (!fits(offset, count * 16, 3 * kSmall)) return -ENOMEM_;
    auto *list = reinterpret_cast<IoVec *>(b_.inputs + offset);
    if (count && copy_program(list, pointer<void>(at), count * 16)) return -EFAULT_;
    b_.inputs_used += align_up(count * 16, 8);
    if (i < 6) point_in(i, offset);
    u64 total = 0;
    bool stop = false;
    for (u64 k = 0; k < count; ++k) {
      if (i64(list[k].length) < 0) return -EINVAL_;
      u64 past = minimum(skip_, list[k].length);
      skip_ -= past;
      list[k].base += past;
      list[k].length -= past;
      u64 n = stop ? 0 : minimum(list[k].length, kTransferMax / 2 - total);
      gather_cut_ |= !stop && n < list[k].length;
      u64 good = n ? u64(touch_range(list[k].base, n, out)) : 0;
      if (good < n && list[k].base >> 47) return -EFAULT_;
      gathered_[k] = {list[k].base, good};
      list[k] = {0, n};
      if (good < n) b_.r.flags |= kCut, stop = true;
      total += good;
    }
    gather_count_ = unsigned(count);
    gather_out_ = out;
    gather_list_ = offset;
    gather_total_ = total;
    return 0;
  }

  i64 take_message(unsigned i, u64 at, bool out) {
    MsgHdr m;
    if (copy_program(&m, pointer<void>(at), sizeof m)) return -EFAULT_;
    if (out && touch_range(at, sizeof m, true) != i64(sizeof m)) return -EFAULT_;
    message_ = at;
    message_out_ = out;
    if (skip_) m.control = m.control_length = 0;                        // went, or came, with what is done
    if (skip_ && out) m.name = m.name_length = 0;
    rest_of_message_ = skip_;
    MsgHdr sent = m;
    u64 header;
    if (out) {
      header = 0;                                                       // in-out: nothing else is in the in-out part of recvmsg
      b_.inout_used = b_.out_used = align_up(sizeof m, 8);
      point_out(i, 0);
      if (m.name && m.name_length) {
        u64 n = minimum<u64>(m.name_length, 4096);
        if (touch_range(m.name, n, true) != i64(n)) return -EFAULT_;
        relocate(0, u32(b_.out_used) | kInOut);
        give_back(b_.out_used, n, m.name, &name_length_);
        b_.out_used += align_up(n, 8);
        sent.name_length = u32(n);
      }
      if (m.control && m.control_length) {
        u64 n = minimum<u64>(m.control_length, kSmall);
        if (touch_range(m.control, n, true) != i64(n)) return -EFAULT_;
        relocate(32, u32(b_.out_used) | kInOut);
        give_back(b_.out_used, n, m.control, &control_length_);
        b_.out_used += align_up(n, 8);
        sent.control_length = n;
      }
    } else {
      header = b_.inputs_used;
      b_.inputs_used += align_up(sizeof m, 8);
      point_in(i, header);
      if (m.name && m.name_length) {
        u64 n = minimum<u64>(m.name_length, 4096);
        if (copy_program(b_.inputs + b_.inputs_used, pointer<void>(m.name), n)) return -EFAULT_;
        relocate(u32(header), u32(b_.inputs_used));
        b_.inputs_used += align_up(n, 8);
      }
      if (m.control && m.control_length) {
        u64 n = m.control_length;
        if (!fits(b_.inputs_used, n, kSmall)) return -12;
        if (copy_program(b_.inputs + b_.inputs_used, pointer<void>(m.control), n)) return -EFAULT_;
        relocate(u32(header + 32), u32(b_.inputs_used));
        b_.inputs_used += align_up(n, 8);
      }
    }
    sent.name = sent.control = 0;
    u64 list = b_.inputs_used;
    if (i64 error = take_iovec(6, m.iov, m.iov_length, out)) return error == -EINVAL_ && m.iov_length > 1024 ? -90 : error;   // EMSGSIZE
    sent.iov = 0;
    relocate(u32(header + 16), u32(b_.inout_used + list));
    copy(out ? b_.inout : b_.inputs + header, &sent, sizeof sent);
    return 0;
  }

  i64 send() {
    if (call_.timeout == syscalls::Timeout::ms) {
      int ms = int(args_[call_.timeout_arg]);
      if (ms > 0) {
        timing_ = timing(trap_, i64(ms) * 1000000);
        if (timing_.adjusted) b_.r.args[call_.timeout_arg] = u64((timing_.rest + 999999) / 1000000);
      }
    }
    // inputs that are sent from where they are follow the copied ones
    u64 payload = b_.inout_used + b_.inputs_used, tail = 0;
    unsigned ins = 4;
    if (large_argument_ >= 0) {
      b_.r.in_pointers |= uint8_t(1 << large_argument_);
      b_.r.args[large_argument_] = payload;
      b_.in[ins++] = {large_.base, large_.length};
      tail += large_.length;
    }
    if (gather_count_ && !gather_out_)
      for (unsigned k = 0; k < gather_count_; ++k) {
        relocate(u32(b_.inout_used + gather_list_ + k * 16), u32(payload + tail));
        if (gathered_[k].length) b_.in[ins++] = gathered_[k];
        tail += gathered_[k].length;
      }
    u64 fixed = b_.out_used;
    u64 out_size = fixed;
    if (tail_ >= 0) {
      point_out(unsigned(tail_), out_size);
      out_size += tail_length_;
      fixed += tail_fixed_;
    }
    if (gather_count_ && gather_out_) {
      for (unsigned k = 0; k < gather_count_; ++k) {
        relocate(u32(b_.inout_used + gather_list_ + k * 16), u32(out_size) | kInOut);
        b_.out[k] = gathered_[k];
        out_size += gathered_[k].length;
      }
      b_.out_parts = gather_count_;
      b_.r.result_size = 1;
    }
    if (room_argument_ >= 0 && room_at_[room_argument_]) {
      u32 asked;
      copy(&asked, room_at_[room_argument_], 4);
      if (asked > room_ && i64(i32(asked)) >= 0) copy(room_at_[room_argument_], &room_, 4);
    }
    if (gather_count_ || large_argument_ >= 0 || tail_ >= 0) align(payload, fixed - tail_fixed_);
    b_.r.inout_size = u32(b_.inout_used);
    b_.r.out_size = u32(out_size);
    b_.r.out_fixed = u32(fixed);
    if (call_.flags & syscalls::OUT_ON_ERROR) b_.r.flags |= kOutOnError;
    b_.r.in_size = u32(b_.r.relocations * sizeof(Relocation) + payload + tail);
    b_.in[1] = {address(b_.relocations), b_.r.relocations * sizeof(Relocation)};
    b_.in[2] = {address(b_.inout), b_.inout_used};
    b_.in[3] = {address(b_.inputs), b_.inputs_used};
    const u32 looks = opens_name(nr_) && trap_.slot->process == &control().process ? looks_at(nr_, args_, reinterpret_cast<const char *>(b_.inputs)) : 0;
    if (looks) {
      b_.r.flags |= looks;
      b_.r.out_size = u32(sizeof(Looked) + (looks & kReadsAll ? kLookMost : looks & kReads ? kLookFew : 0));
      b_.out[0] = {address(b_.outs), b_.r.out_size};
      b_.out_parts = 1;
    }
    // fixed outputs land in the scratch area, the rest in place
    for (u64 k = b_.out_parts; k > 0; --k) b_.out[k] = b_.out[k - 1];
    b_.out[0] = {address(b_.outs), b_.out_used};
    Reply reply{};
    const bool alone = control().process.threads == 1;
    const i64 asked = looks ? now() : 0;
    i64 result = exchange(trap_.slot, b_.r, b_.in, ins, b_.out, b_.out_parts + 1, reply);
    trap_.signal_waits |= reply.flags & kSignalWaits;
    if ((reply.flags & kShowsView) && result >= 0 && opens_name(nr_)) result = tell_view(trap_, result, nr_);
    else if (reply.flags & kShowsView) {
      const i64 told = tell_view(trap_, i64(u32(args_[0])), nr_);
      result = failed(told) && told != kRestart ? told : kAgain;        // the call again, here or at home
    }
    if ((reply.flags & kMayRead) && opens_name(nr_)) may_be_read(trap_.slot, result);
    if (looks && reply.out_size > b_.r.out_size) guest_dies(Ending::nonsense);
    if (looks) may_be_looked_at(trap_.slot, result, b_.outs, reply.out_size, reply.flags, asked, alone);
    if ((reply.flags & kMayWrite) && nr_ == syscalls::nr_write) may_be_written(trap_.slot, u32(args_[0]));
    trap_.slot->deadline = result == kAgain ? u64(timing_.deadline) : 0;
    trap_.slot->deadline_ip = trap_.context->regs.ip;
    if (result != kAgain) trap_.slot->begun_ip = 0;
    else if ((reply.flags & kLetGo) && call_.restart != syscalls::Restart::none) trap_.slot->begun_ip = trap_.context->regs.ip;
    if (result == kAgain) return result;
    i64 given = give_results(result, reply.out_size);
    if (!(reply.flags & kUnfinished) || given <= 0) return given;
    unfinished_ = u64(given);
    return kAgain;
  }

  // Open files of O_DIRECT ask where in memory the bytes are (open(2)): at home they are as far from a multiple of 512 as here.
  void align(u64 payload, u64 out_offset) {
    u64 first = large_argument_ >= 0 ? large_.base : gather_count_ ? gathered_[0].base : b_.out[0].base;
    if (large_argument_ >= 0 || (gather_count_ && !gather_out_)) b_.r.in_align = uint16_t((first - payload - b_.r.relocations * sizeof(Relocation)) & kAlign);
    else b_.r.out_align = uint16_t((first - out_offset) & kAlign);
  }

  // Of each struct pollfd the events that have come, and nothing else: the program may have changed the rest meanwhile.
  i64 give_events(const Copied &back, u64 received) {
    constexpr u64 entry = 8, revents = 6;
    if (back.offset + back.length > received) return 0;
    for (u64 at = revents; at < back.length; at += entry)
      if (copy_program(pointer<void>(back.to + at), b_.outs + back.offset + at, entry - revents)) return -EFAULT_;
    return 0;
  }
  // What lies behind the descriptors that there are is another's.
  i64 give_set(const Copied &back, u64 received) {
    if (back.offset + back.length > received) return 0;
    for (u64 at = 0; at < back.length; at += 8) {
      u64 before, after;
      copy(&before, b_.inout + back.offset + at, 8);
      copy(&after, b_.outs + back.offset + at, 8);
      if (before != after && copy_program(pointer<void>(back.to + at), &after, 8)) return -EFAULT_;
    }
    return 0;
  }

  i64 give_results(i64 result, u64 received) {
    if (failed(result) && !(b_.r.flags & kOutOnError)) return result;
    if (message_ && message_out_ && received >= sizeof(MsgHdr)) {
      MsgHdr m, mine;
      copy(&m, b_.outs, sizeof m);
      if (!copy_program(&mine, pointer<void>(message_), sizeof mine)) {
        name_length_ = m.name_length;
        control_length_ = u32(m.control_length);
        if (!rest_of_message_) mine.name_length = m.name_length, mine.control_length = m.control_length;
        mine.flags = m.flags;
        copy_program(pointer<void>(message_), &mine, sizeof mine);
      }
    }
    if (room_back_ >= 0 && room_at_[room_argument_]) {                  // as much of it as the kernel has filled
      copy(&name_length_, b_.outs + (room_at_[room_argument_] - b_.inout), sizeof name_length_);
      b_.back[room_back_].limit = &name_length_;
    }
    for (unsigned k = 0; k < b_.backs; ++k) {
      if (!k && (nr_ == nr_poll || nr_ == nr_ppoll) && b_.back[0].to == args_[0]) {
        if (give_events(b_.back[0], received)) result = -EFAULT_;
        continue;
      }
      if (b_.back[k].is_set) {
        if (give_set(b_.back[k], received)) result = -EFAULT_;
        continue;
      }
      u64 n = b_.back[k].limit ? minimum<u64>(b_.back[k].length, *b_.back[k].limit) : b_.back[k].length;
      if (b_.back[k].offset + n > received) continue;
      if (n && copy_program(pointer<void>(b_.back[k].to), b_.outs + b_.back[k].offset, n)) result = -EFAULT_;
    }
    return result;
  }

  Builder b_;
  Trap &trap_;
  u32 nr_;
  u64 *args_;
  const syscalls::Call &call_;
  u64 skip_ = 0, unfinished_ = 0;
  bool rest_of_message_ = false, gather_cut_ = false;
  IoVec large_{};
  int large_argument_ = -1, tail_ = -1;
  u64 tail_fixed_ = 0, tail_length_ = 0;
  IoVec gathered_[1024];
  unsigned gather_count_ = 0;
  bool gather_out_ = false;
  u64 gather_list_ = 0, gather_total_ = 0;
  u64 message_ = 0;
  bool message_out_ = false;
  u32 name_length_ = 0, control_length_ = 0, room_ = 0;
  int room_argument_ = -1, room_back_ = -1;
  uint8_t *room_at_[6] = {};
  Timing timing_;
};

}  // namespace

Marshalled marshal(Trap &trap, u32 nr, u64 *args, u64 skip, bool rest) {
  Call call(trap, nr, args, skip);
  if (rest) call.is_rest();
  i64 result = call.run();
  return {result, call.unfinished(), call.asked(), call.is_cut()};
}

}  // namespace mosrun
