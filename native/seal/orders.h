// What mosgate and its mosseal say to each other: SOCK_SEQPACKET, at most one descriptor with each message.
#pragma once
#include <stdint.h>

namespace mosrun {

// Keys: HMAC-SHA256(K, SealLabel), where K is the session's token, or for the channel `memory` the key made of it. So mosseal, which listens to
// strangers, has no token.
struct SealLabel { char text[16] = "mosrun seal"; };
constexpr unsigned kSealKeySize = 32;

enum class SealOrder : uint32_t {
  key,       // channels of `session` may come, under `key`
  forget,    // no more of them; those that are open stay
  route,     // channels of this node's to `session` are taken, and go to `address`, `port`
  unroute,   // nobody will come for it; those that have come stay
  arrival,   // a connection to the data port comes along, which began as TLS does: shake hands, and give back its plain end
};
struct SealMessage {
  SealOrder order;
  uint32_t memory;             // 1: of the session's memory channels; 0: of all others
  uint64_t session;
  uint64_t arrival;            // its number
  uint8_t key[kSealKeySize];
  uint32_t address;            // IPv4, network order
  uint16_t port;               // network order
  uint16_t pad;
};

enum class SealState : uint32_t {
  ready,     // once, when it serves
  sealed,    // `arrival` is encrypted under the key of `session`, `memory`; its plain end comes along
  failed,    // `arrival` is closed
};
struct SealReport {
  SealState state;
  uint32_t memory;
  uint64_t session;
  uint64_t arrival;
};

constexpr int kSealControl = 3, kSealListener = 4;   // descriptors mosseal is started with

// mosseal runs as a user that no other program has: this number plus its own process number (cf. kGuestUsers, gate/keeper.h).
constexpr uint32_t kSealUsers = 0x78000000;

constexpr unsigned char kTlsHandshake = 0x16;        // first byte of a TLS connection (RFC 8446, 5.1); a Hello begins otherwise

static_assert(sizeof(SealMessage) == 64 && sizeof(SealReport) == 24);

}  // namespace mosrun
