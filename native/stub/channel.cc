// Another spare channel to the guest's node, opened by the deputy itself when the pool runs low: no daemon of this node is asked.
#include "../engine/sha256.h"
#include "stub.h"

namespace mosrun {

static i64 connect_to(int fd, const void *to, u64 size) {
  i64 error;
  do error = sys(nr_connect, u64(fd), address(to), size);
  while (error == -EINTR_);
  return error;
}

// The program may have gone to a network namespace of its own, and mosseal's name is free when it has died: only root is believed to be it.
static i64 connect_to_seal(int fd, u32 number) {
  SealAddress to = seal_address(number);
  if (i64 error = connect_to(fd, &to, sizeof to)) return error;
  struct { i32 pid; u32 uid, gid; } peer{};
  u32 size = sizeof peer;
  if (i64 error = sys(nr_getsockopt, u64(fd), 1, 17, address(&peer), address(&size))) return error;   // SOL_SOCKET, SO_PEERCRED
  return peer.uid ? -EPERM_ : 0;
}

static i64 open_channel(int fd, u32 serial) {
  Control &c = control();
  struct { uint16_t family, port; u32 address; u64 zero; } to{2, c.gate_port, c.gate_address, 0};
  set_timeout(fd, 2000, true);
  set_timeout(fd, 2000, false);
  i64 error = c.seal ? connect_to_seal(fd, c.seal) : connect_to(fd, &to, sizeof to);
  if (error) return error;
  Hello hello{kHelloMagic, kProtocol, ChannelKind::spare, uint16_t(serial), c.session, {}, c.pid, 0};
  sys(nr_getrandom, address(hello.nonce), sizeof hello.nonce, 0);
  if ((error = send_all(fd, &hello, sizeof hello))) return error;
  Challenge challenge{};
  if ((error = receive_all(fd, &challenge, sizeof challenge))) return error;
  if (challenge.magic != kHelloMagic || challenge.protocol != kProtocol || challenge.error) return -EPROTO_;
  Proof proof{};
  hmac_sha256(c.token, sizeof c.token, proof.mac, hello, challenge, proof.begin);
  if ((error = send_all(fd, &proof, sizeof proof))) return error;
  Welcome welcome{};
  if ((error = receive_all(fd, &welcome, sizeof welcome))) return error;
  if (welcome.magic != kHelloMagic || welcome.status) return -EPROTO_;
  if (!c.seal) {                                                         // else mosseal sees to that
    int one = 1;
    sys(nr_setsockopt, u64(fd), 6, 1, address(&one), sizeof one);        // TCP_NODELAY
    sys(nr_setsockopt, u64(fd), 1, 9, address(&one), sizeof one);        // SO_KEEPALIVE
  }
  set_timeout(fd, 0, true);
  set_timeout(fd, 0, false);
  return 0;
}

i64 open_numbered(Spare &spare) {
  Control &c = control();
  int fd;
  {
    WideLimit wide;
    fd = int(sys(nr_socket, c.seal ? 1 : 2, 1 | 0x80000, 0));           // AF_UNIX or AF_INET, SOCK_STREAM | SOCK_CLOEXEC
  }
  if (fd < 0) return fd;
  fd = keep_descriptor(fd);
  if (fd < 0) return fd;
  if (i64 error = open_channel(fd, spare.index)) {
    sys(nr_close, u64(fd));
    return error;
  }
  spare.fd = fd;
  return 0;
}

i64 open_spare(Spare &spare) {
  spare.index = control().spare_serial++;
  return open_numbered(spare);
}

}  // namespace mosrun
