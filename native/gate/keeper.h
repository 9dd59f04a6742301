// The keeper: pid 1 of a guest's pid namespace. It makes the sandbox before anything is frozen at home, starts the guest, hands it channels, and ends
// with it. It needs nobody else: when mosgate dies, keepers and guests go on.
#pragma once
#include <sys/types.h>

#include "stub/wire.h"

namespace mosrun {

// mosgate to keeper, with the channel as descriptor. `begin` counts only with thread 0. The very first message has no descriptor: "the identity maps are written".
struct GateMessage {
  PoolMessage pool;
  Begin begin;
};

// Keeper to mosgate.
enum class KeeperState : uint32_t { ready, running, failed };
struct KeeperReport {
  KeeperState state;
  int32_t error;
  char step[24];      // what failed
};

// Guests run under a user of their own on the host; these numbers are used by nothing else (systemd's ranges end at 0x6fffffff).
constexpr uint32_t kGuestUsers = 0x70000000;
constexpr uint32_t kFreezerUsers = 0x7c000000;   // mosfreeze, with its process number (cf. kSealUsers, seal/orders.h)

// A keeper holds both ends of its socket, mosgate's under this number: the next mosgate takes it from there (pidfd_getfd(2), 5.6), with all that is on
// its way. Part of what one mosgate expects of another's keepers: a change raises the version of the state files.
constexpr int kGateEnd = 5;

// Clones a keeper into new namespaces; it waits until the caller has written its identity maps and sends a first message. `cache` (-1: none) is for
// its guests. Returns its pid and the caller's end of the socket, or -errno.
pid_t clone_keeper(int husk, int cache, int *gate_end);

// In a keeper's place: mosfreeze, which keeps its process in the file `image`. As above.
pid_t start_freezer(int program, int image, int *gate_end);

}  // namespace mosrun
