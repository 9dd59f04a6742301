// Whole messages over streams, and descriptors over unix sockets.
#include "stub.h"

namespace mosrun {

static i64 transfer_all(i64 nr, int fd, IoVec *iov, u64 count, int flags) {
  while (count && !iov->length) ++iov, --count;
  while (count) {
    MsgHdr message{};
    message.iov = address(iov);
    message.iov_length = minimum<u64>(count, 1024);
    i64 n = sys(nr, u64(fd), address(&message), u64(flags));
    if (n == -EINTR_) continue;
    if (n < 0) return n;
    if (!n) return -EPIPE_;
    for (u64 left = u64(n); left;) {
      u64 part = minimum(left, iov->length);
      iov->base += part;
      iov->length -= part;
      left -= part;
      if (!iov->length) ++iov, --count;
    }
    while (count && !iov->length) ++iov, --count;
  }
  return 0;
}

i64 send_all(int fd, IoVec *iov, u64 count, int flags) { return transfer_all(nr_sendmsg, fd, iov, count, msg_nosignal | flags); }
i64 receive_all(int fd, IoVec *iov, u64 count) { return transfer_all(nr_recvmsg, fd, iov, count, 0); }

i64 wait_readable(int fd, i64 timeout_ms) {
  struct { int fd; int16_t events, revents; } poll{fd, 1, 0};
  TimeSpec t{timeout_ms / 1000, timeout_ms % 1000 * 1000000};
  return sys(nr_ppoll, address(&poll), 1, timeout_ms < 0 ? 0 : address(&t), 0, 8);
}

i64 receive_fd(int socket, void *message, u64 size, int *fd, i64 timeout_ms) {
  *fd = -1;
  if (timeout_ms >= 0) {
    i64 ready = wait_readable(socket, timeout_ms);
    if (ready <= 0) return ready < 0 ? ready : -ETIMEDOUT_;
  }
  struct { u64 length; u32 level, type; int fd, pad; } space{};
  IoVec iov{address(static_cast<char *>(message)), size};
  MsgHdr header{};
  header.iov = address(&iov);
  header.iov_length = 1;
  header.control = address(&space);
  header.control_length = sizeof space;
  i64 n;
  do n = sys(nr_recvmsg, u64(socket), address(&header), msg_cmsg_cloexec);
  while (n == -EINTR_);
  if (n < 0) return n;
  if (header.control_length >= 20 && space.level == 1 && space.type == 1) *fd = space.fd;   // SOL_SOCKET, SCM_RIGHTS
  return u64(n) == size ? 0 : n ? -EPROTO_ : -EPIPE_;
}

i64 set_timeout(int fd, i64 ms, bool sending) {
  struct { i64 seconds, micros; } t{ms / 1000, ms % 1000 * 1000};
  return sys(nr_setsockopt, u64(fd), 1, sending ? 21 : 20, address(&t), sizeof t);   // SO_SNDTIMEO, SO_RCVTIMEO
}

}  // namespace mosrun
