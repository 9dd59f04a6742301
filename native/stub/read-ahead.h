// Inside of reading ahead, in the guest: what its parts share. read-ahead.cc answers calls and knows which files it may answer for; read-data.cc has what has
// come of them. All of it is under one lock.
#pragma once
#include "stub.h"

namespace mosrun {

constexpr i64 kJust = 5'000'000;                             // ns: what home said of a file or a name is of this moment
constexpr unsigned kReadFiles = 32;
constexpr u64 kNotKept = 12 << 20;                           // a larger file would only push out others, and itself

// The content of one file, also when it is not open any more, if it can be told again by its times.
struct ReadFile {
  u32 serial;                                                // never used again; 0: none
  u32 lasting;
  u64 size, device, number;
  i64 changed, changed_ns;
  u64 used;                                                  // when last
};

// A descriptor of a file that home has a lease on. Where the program is in it is known here.
struct ReadOpen {
  int fd;                                                    // + 1; 0: none
  u32 file;                                                  // index
  u32 what;                                                  // kMoved, kTouched: since home has been told
  u32 depth;                                                 // requests to have under way; 0: not read in order
  u64 offset, next, start, asked;                            // the program's; behind its last read; where it began to read in order; behind what has been asked for
};

struct ReadBlock { u32 file; u32 number; u32 from, to; u64 used; };   // file: the serial

struct ReadAhead {
  u64 checked;                                               // ns: when home was last asked whether all leases hold
  u64 clock;                                                 // counts uses
  u32 serials;
  ReadFile files[kReadFiles];
  ReadOpen opens[kLeases];
  ReadBlock blocks[kReadBlocks];
};
static_assert(sizeof(ReadAhead) <= kReadHead);

inline ReadAhead &read_cache() { return *pointer<ReadAhead>(base() + kReadOffset); }

bool make_read_room();                                       // the memory for all of this

// --- read-data.cc, with the lock held --------------------------------------------------------------------------------------------
void take_windows(Slot *slot);                               // all that is under way comes, and is kept if it is wanted; pages too
i64 write_program(Slot *slot, u64 to, const void *from, u64 n);   // no page is fetched for it: -errno, and then it is to be touched first
// Bytes [o.offset at `at`, n) go to the program: 0, or -errno with nothing done that cannot be done again.
i64 give_bytes(Slot *slot, ReadOpen &o, u64 at, u64 n, u64 to);

}  // namespace mosrun
