// TLS as mosseal speaks it: version 1.3, one cipher, one group, no certificates. Both sides prove by the handshake that they have the key.
#pragma once
#include <openssl/ssl.h>
#include <stdint.h>

#include "orders.h"

namespace mosrun {

// What a key is for; as the identity it goes over the wire in the clear, as the session's number does in a Hello.
struct Identity {
  uint64_t session;
  uint32_t memory;
  uint32_t pad;
};

struct Secret {
  Identity identity;
  uint8_t key[kSealKeySize];
};

// The key of that identity, where channels may come; null: there is none.
using FindKey = const Secret *(*)(const Identity &identity);

bool start_tls(FindKey find);

// The handshake is still to be done. `told` of one that comes is filled in by it; for one that goes `secret` says both identity and key, and must stay.
SSL *sealed_in(int fd, Identity *told);
SSL *sealed_out(int fd, const Secret *secret);

enum class Shaken { yes, not_yet, no };
Shaken shake_hands(SSL *ssl);

}  // namespace mosrun
