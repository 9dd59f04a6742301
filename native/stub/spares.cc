// Guest: the channels that wait for threads and children to be born.
#include "syscalls.h"
#include "stub.h"

namespace mosrun {

bool keep_spare(Spare spare) {
  for (Spare &s : control().spares)
    if (s.fd < 0) { s = spare; return true; }
  return false;
}

bool stored_spare(Spare &spare) {
  for (Spare &s : control().spares)
    if (s.fd >= 0) {
      spare = s;
      s.fd = -1;
      return true;
    }
  return false;
}

// The next channel that the keeper has for this process. One to another node is kept: the order to go there comes later.
i64 next_in_pool(PoolMessage &message, int &fd, i64 timeout_ms) {
  if (i64 error = receive_fd(control().pool, &message, sizeof message, &fd, timeout_ms)) return error;
  const bool from_home = message.kind == ChannelKind::spare && message.index & kStageBit;
  if (fd >= 0 && from_home && message.owner == control().pid) {
    Spare &ahead = control().ahead[(message.index & (kStageBit - 1)) / kStageStream];
    if (ahead.fd >= 0) sys(nr_close, u64(ahead.fd));
    ahead = {fd, message.index};
    return fd = -1, 0;
  }
  if (fd < 0 || message.kind != ChannelKind::memory) return 0;
  if (message.owner != control().pid) return sys(nr_close, u64(fd)), 0;   // of a child that has ended meanwhile
  Spare &onward = control().onward[message.index % kStreams];
  if (onward.fd >= 0) sys(nr_close, u64(onward.fd));
  onward = {fd, message.index};
  return 0;
}

// A channel whose other end the deputy already holds. Called with the control lock held.
bool take_spare(Trap &trap, Spare &spare) {
  if (trap.slot->process != &control().process) return false;            // the parent's, whose memory a vfork child shares, are not its own
  if (stored_spare(spare)) return true;
  for (int attempt = 0; attempt < 2; ++attempt) {
    PoolMessage message{};
    int fd;
    while (next_in_pool(message, fd, attempt ? 2000 : 0) == 0)
      if (fd >= 0 && message.kind == ChannelKind::spare && message.owner == trap.slot->process->pid) {
        spare = {fd, message.index};
        return true;
      } else if (fd >= 0 && message.kind != ChannelKind::memory) {
        sys(nr_close, u64(fd));
      }
    if (!attempt && ask(trap, Op::refill, 0)) return false;
  }
  return false;
}

}  // namespace mosrun
