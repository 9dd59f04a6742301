// The client's side of opening a channel to a node's data port.
#pragma once
#include <netinet/in.h>

#include "engine/clocks.h"
#include "stub/wire.h"

namespace mosrun {

struct Session {
  uint64_t id = 0;
  uint8_t token[32] = {};
  sockaddr_in gate{};
  uint32_t seal = 0;              // number of the mosseal that reaches the gate; 0: the channels are not encrypted
  int owner = 0;                  // the process, by its own number
  uint32_t protocol = kProtocol;
  bool own_clock = false;         // the guest is to see the hosting node's time of day
};

struct Opened {
  int fd = -1;
  int error = 0;                  // errno
  Challenge challenge{};
  Clocks asked_at{};              // before the challenge
};

// Connects, and says who it is. For channel 0 `begin` goes along, with clock offsets no worse than those it has.
Opened open_channel(const Session &session, ChannelKind kind, unsigned index, Begin *begin, int timeout_ms);

// What one handshake tells about the difference of the clocks.
void improve_offsets(Begin &begin, const Opened &opened);

// The other side's last word; for channel 0 it comes when the husk is ready. 0, or an errno.
int await_welcome(int fd, int timeout_ms);

}  // namespace mosrun
