// Calls that the kernel ends only when all is transferred, unless a handler runs, something fails, or they are not to wait: a blocking write to a pipe, socket
// or terminal, what waits for all of a message (MSG_WAITALL) or for so much of it (SO_RCVLOWAT, VMIN), random bytes. Whoever takes a thread out of one for a move finds a part done. The rest is
// then another call, and what the program is told is the sum.
#pragma once
#include "syscalls.h"

namespace mosrun {

// Of what kind of file: any; a device that never has less (/dev/zero, /dev/full, /dev/random, /dev/urandom); a socket, as a pipe may take less.
enum class Of { any, device, socket };
struct Whole {
  bool is = false;
  Of of = Of::any;
  bool stream = false;      // of a message, what has come is all
  bool marked = false;      // of sockets and terminals, all is their low-water mark: the rest asks for no more than is missing to that
  int fd = 0;               // the argument that is the descriptor which may not wait (O_NONBLOCK); -1: none
  int buffer = -1, count = -1;   // arguments
  int vector = -1, vectors = -1; // of an array of { base, length }
  int message = -1;         // of a struct msghdr
};

constexpr Whole whole_of(uint64_t nr, const uint64_t *args) {
  constexpr uint64_t urgent = 0x1, peek = 0x2, dont_wait = 0x40, wait_all = 0x100, errors = 0x2000;   // recv(2)
  auto receives = [](uint64_t flags) { return !(flags & (urgent | peek | dont_wait | errors)); };
  Whole w;
  switch (nr) {
    case syscalls::nr_write: w.is = true, w.buffer = 1, w.count = 2; break;
    case syscalls::nr_read: w.is = w.marked = true, w.of = Of::device, w.buffer = 1, w.count = 2; break;
    case syscalls::nr_sendto: w.is = !(args[3] & dont_wait), w.buffer = 1, w.count = 2; break;
    case syscalls::nr_recvfrom: w.is = receives(args[3]), w.marked = !(args[3] & wait_all), w.stream = true, w.buffer = 1, w.count = 2; break;
    case syscalls::nr_sendfile: w.is = true, w.of = Of::socket, w.count = 3; break;
    case syscalls::nr_writev: w.is = true, w.vector = 1, w.vectors = 2; break;
    case syscalls::nr_readv: w.is = w.marked = true, w.of = Of::device, w.vector = 1, w.vectors = 2; break;
    case syscalls::nr_sendmsg: w.is = !(args[2] & dont_wait), w.message = 1; break;
    case syscalls::nr_recvmsg: w.is = receives(args[2]), w.marked = !(args[2] & wait_all), w.stream = true, w.message = 1; break;
    case syscalls::nr_getrandom: w.is = true, w.fd = -1, w.buffer = 0, w.count = 1; break;
    default: break;
  }
  return w;
}

constexpr bool is_writing(uint64_t nr) {
  return nr == syscalls::nr_write || nr == syscalls::nr_writev || nr == syscalls::nr_sendto || nr == syscalls::nr_sendmsg || nr == syscalls::nr_sendmmsg ||
         nr == syscalls::nr_sendfile;
}

constexpr bool is_of(Of of, uint64_t mode, uint64_t device) {
  const uint64_t kind = mode & 0170000;
  if (of == Of::socket) return kind == 0140000;
  return of == Of::any || (kind == 0020000 && (device == 0x105 || device == 0x107 || device == 0x108 || device == 0x109));
}

// What a descriptor says of the least that a read of it waits for: a stream socket's SO_RCVLOWAT; of a terminal that gives more than lines, VMIN without VTIME.
constexpr int kReceiveLowWater = 18;
constexpr uint32_t kMasterOf = 0x80045430;               // TIOCGPTN: a terminal's master answers
constexpr uint32_t kLines = 2;                          // c_lflag, ICANON
constexpr unsigned kBetween = 5, kLeast = 6;             // of c_cc: VTIME, VMIN

// The arguments of the rest, where they say it themselves. Large counts are cut by the kernel (MAX_RW_COUNT).
constexpr void skip_done(const Whole &w, uint64_t *args, uint64_t done) {
  if (w.buffer >= 0) args[w.buffer] += done;
  if (w.count >= 0) args[w.count] = (args[w.count] < 0x7ffff000 ? args[w.count] : 0x7ffff000) - done;
}

// Of a list of buffers, so many bytes and no more. How many of them that takes.
template <class Part> constexpr uint64_t cut_list(Part *list, uint64_t count, uint64_t most, uint64_t Part::*length) {
  uint64_t used = 0;
  for (; used < count && most; ++used) {
    if (list[used].*length > most) list[used].*length = most;
    most -= list[used].*length;
  }
  return used;
}

}  // namespace mosrun
