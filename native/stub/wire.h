// Every message between deputy, guest, mover and mosgate. Fixed little-endian layouts; a change raises kProtocol.
#pragma once
#include "layout.h"

namespace mosrun {

// --- Opening a channel: client (mover or deputy) and mosgate -----------------------------------------------------------------
// client: Hello.  gate: Challenge.  client: Proof.  gate (for channel 0: the husk, once it is ready): Welcome.
constexpr uint64_t kHelloMagic = 0x314e55524f534f4d;
// A process that moves on from one hosting node to another has one channel more, `memory`, between the two: the first node opens it with a key made
// of the token, which is good for nothing else.
enum class ChannelKind : uint16_t { thread, event, spare, memory };
struct Hello {
  uint64_t magic;
  uint32_t protocol;
  ChannelKind kind;
  uint16_t index;             // thread: slot, 0 for the one the move uses; spare: serial number; memory: number * kStreams + which
  uint64_t session;
  uint8_t nonce[16];
  int32_t owner;              // the process whose deputy opens it, by its own number; guests share a keeper
  uint32_t pad;
};
struct Challenge {
  uint64_t magic;
  uint32_t protocol;
  uint32_t error;             // 0 from a gate; errno from this node's own mosseal, which could not reach it
  uint8_t nonce[16];
  int64_t realtime, monotonic, boottime;   // the hosting node's clocks, ns
};
// What the hosting node must know before the memory comes.
struct Begin {
  uint64_t base;              // where the stub lies
  uint64_t blob_hash;         // both sides run the same stub
  uint64_t stack_limit, stack_max;
  int64_t monotonic_offset, boottime_offset, realtime_offset;   // ns: home minus hosting node
  int32_t pid;
  uint32_t timeout_ms;
  uint32_t fault;             // a test's, faults.h
  uint32_t threads;
  uint32_t first;             // slot of the thread that builds the guest: the process's first
  uint32_t memory;            // number of the channel the memory comes over; 0: over this one
};
struct MemoryLabel { char text[16] = "mosrun memory"; };   // key of the channel `memory`: HMAC-SHA256(token, MemoryLabel)
struct Proof {
  uint8_t mac[32];            // HMAC-SHA256(token, Hello | Challenge | Begin)
  Begin begin;                // zero unless kind is thread and index is 0
};
struct Welcome {
  uint64_t magic;
  uint32_t status;            // 0, or an Error
  uint32_t pad;
};

// An encrypted channel is opened over this node's own mosseal, by the same words: a unix socket with this abstract name (unix(7)), whose number is
// never 0. Anyone may take a name that is free, so whoever connects looks whether root listens there (SO_PEERCRED).
struct SealAddress {
  uint16_t family;            // AF_UNIX
  char name[22];
};
constexpr SealAddress seal_address(uint32_t number) {
  SealAddress address{1, "\0mosrun-sealed"};
  for (int i = 0; i < 8; ++i) address.name[14 + i] = "0123456789abcdef"[number >> (28 - 4 * i) & 15];
  return address;
}

// --- A move: one stream of records on the leader's channel -------------------------------------------------------------------
// Before `state`, while the process still runs: `stage`, mappings that will be wanted, and their pages. Then, among the process's mappings, `pages` also
// tells which of those count: all others have gone or changed. In order of address.
// `ahead`: that was all; from the next node to home, with the number of the stage: it has come.
// `streams`: what follows comes over `count` channels beside this one, in turns: a record over each. Over one connection a long way is never full of what
// is on it (its window, RFC 7323), and what is lost holds up all. To the first node over spare channels, the first ones, and from
// there to the next over further memory channels, until `streams` with 0. To home, which opens so many and answers how many it has, until `ahead`.
// `known`: to home, which still has what was there when the process left it, as long as nothing else needed the room: a PageKey (engine/known.h), once,
// `count` 0; then `count` runs and the hash of each of their pages. Home answers, over the same channel, a bit for each that it has so: those have come.
enum class Record : uint32_t { state = 1, slot, mappings, pages, end, ready, go, running, fail, stage, ahead, packed, streams, known };
struct RecordHeader {
  Record type;
  uint32_t count;
  uint64_t length;            // bytes that follow
};
constexpr uint32_t kSoFar = 0xffffffff;         // `ahead`: not all yet
struct PageRun { uint64_t address, length; };   // `pages`: count runs, then their bytes
constexpr uint64_t kGuard = 2;                   // in `address`: guards (MADV_GUARD_INSTALL, Linux 6.13), no bytes follow
constexpr uint64_t kStands = 1;                  // in `address`: as it was sent before, no bytes follow
constexpr unsigned kRunsMax = 256;
constexpr uint64_t kRunMax = 8 << 20;           // bytes of one
constexpr unsigned kKnownMax = 1024;           // pages that are asked for at once
constexpr uint32_t kPackedMax = 32 << 10;        // both ends have room for it in the stub
// `packed`: instead of `pages` before `state`; all the bytes of its runs, kPackedMax at most, as one LZ4 block (engine/packing.h).
struct Sent { uint64_t bytes, pages, saved; };  // `ready`: what has come; bytes that were not sent since others were packed

// --- Calls: one outstanding request per channel ------------------------------------------------------------------------------
enum class Op : uint16_t {
  call,        // a system call; pointers are offsets into the buffers
  get_signal,  // hand over the signal in hand
  set_mask,    // args[0] = new mask
  set_action,  // args[0] = signal, payload SigAction; args[1] = 1: by a call of the program's, which is issued again if a signal is to be handled first
  clone,       // args[0] = flags, args[1] = slot, args[2] = spare serial
  fork,        // args[0] = flags, args[1] = slot, args[2], args[3] = spare serials of channel and event channel
  exec,        // execve or execveat: args as the call's
  exit,        // this thread ends
  exit_group,
  come_home,   // args[0] = number of the call that cannot be served, or -1, -2; args[1] = 1: it may be answered by an error instead
  fetch,       // bytes of home memory: args[0] = address, args[1] = length. With kNotWaitedFor -ENOSYS: home wants no such requests
  map,         // the mmap of a file, done at home too; data: FileIdentity, or none
  mirror,      // munmap, mprotect or anonymous mmap over a home mapping: done at home too
  refill,      // open another spare channel
  park,        // the thread's frame follows; args[0] = it is the last, args[1] = its memory comes over the spare with this serial, 0: over this channel;
               // args[2] = it goes to the next node instead: 1, or an error that kept it from being sent
  dump,        // the memory follows; on the way to another node: it has been sent, args[0] = 0 or -errno
  advice,      // is there a mapping with a flag of kAdvised?
  lease,       // descriptor args[0] is to be read ahead; data: Leased
  read,        // its bytes: args[1] = offset, args[2] = length, at most kReadWindow. Not waited for: the reply is taken when it is wanted
  settle,      // payload Settled[]: where the program is in files that are read ahead. args[0] = 1: with a reply; args[1] = 1: all that was read ahead has been
               // dropped; args[2] = 1: is it still good?
  view,        // descriptor args[0], opened or read by call `nr`, is to show the process: payload Seen, and its mappings, with the break at args[1]; none: come
               // home for it
  statuses,    // newfstatat or statx (nr) of names in a directory: args[0], args[1], args[2] = its descriptor, flags, mask; payload: what comes before the
               // names, then each of them, all with their zeros; data: for each its result (8 bytes) and what it says (status_bytes). Not waited for, as `read`
};
constexpr uint32_t kRequestMagic = 0x51524d4d;
struct Request {
  uint32_t magic;
  uint16_t nr;
  Op op;
  uint32_t in_size;           // bytes that follow (relocations included)
  uint32_t out_size;          // capacity the deputy must have
  uint32_t out_fixed;         // of it, always returned on success; the rest by the result
  uint16_t relocations;       // Relocation[] at the start of the payload
  uint8_t in_pointers;        // bit i: args[i] is an offset into the payload after the relocations
  uint8_t out_pointers;       // bit i: args[i] is an offset into the out buffer
  uint32_t result_size;       // bytes returned per unit of the result
  uint32_t flags;
  uint32_t inout_size;        // the payload's first bytes after the relocations: initial content of the out buffer
  uint16_t in_align, out_align;   // the buffers begin so far behind a multiple of 512
  uint64_t args[6];
  // What the thread spent since its last request (times.cc): ns of the call that was for, and its number + 1; its calls answered there, and their ns.
  uint64_t spent, answered, answered_ns;
  uint32_t spent_for;
  uint32_t after;             // calls of this process, not waited for, that are done before it, whichever thread's (write-behind.cc)
};
constexpr uint64_t kBadPointer = 0xffff800000000000;   // for a pointer argument: one that no process may read
constexpr uint32_t kOutOnError = 1;
constexpr uint32_t kNotWaitedFor = 4;                  // fetch; statuses; write(2), close(2) and mmap(2): the reply is taken when it is wanted
constexpr uint32_t kRest = 64;                         // of a call that was answered with kUnfinished, or let go at home with a part done
constexpr uint32_t kLooks = 8, kReads = 16, kReadsAll = 32;   // open: data: Looked, and kLookFew bytes of the file, or all of it
constexpr uint32_t kCut = 2;                           // the program's memory ends where a buffer ends: as it does there, a length may run past it
struct Relocation { uint32_t position, target; };   // both in the payload (target | kInOut: in the out buffer)
constexpr uint32_t kInOut = 0x80000000u;
struct Reply {
  int64_t result;
  uint32_t out_size;
  uint32_t flags;
};
// kUnfinished: the result is only a part, as the thread was taken out of the call; the rest is to be asked for. kShowsView: the descriptor
// shows the process itself (shown-views.cc): Op::view is to follow; if it is not just opened, and then the call again. kMayRead: the file just opened may be read ahead, if nobody else gets it. kMayWrite: what comes
// next to the file just written to need not be waited for; kMayMap: nor mappings of the file just opened, or just mapped, over this one. kPlain: nor the end of the file just opened. kDrop: what has been read ahead
// is to be dropped, and home told so.
constexpr uint32_t kSignalWaits = 1, kLetGo = 2, kShowsView = 4, kUnfinished = 8, kMayRead = 16, kDrop = 32, kMayWrite = 64, kMayMap = 128, kPlain = 256;
constexpr int64_t kRestart = -512;                  // ERESTARTSYS: issue the call again
constexpr int64_t kStayAway = 1;                    // to a parked thread: home could not take the process, go on; an end of the stream: it runs at home
constexpr uint32_t kTransferMax = 128u << 20;        // one request's buffers

// Of a file that is read ahead, until somebody opens it to write.
struct Leased {
  uint64_t offset, size;
  uint64_t device, number;
  int64_t changed, changed_ns;    // its ctime
  uint32_t lasting;               // 1: whoever changes the content from now on gives it another ctime
  uint32_t pad;
};
// What the hosting node's kernel knows of a process: kB of its memory, µs of its time on hosting nodes, as the program and in the kernel.
struct Seen { uint64_t anonymous, files, shared, most, locked, tables, swapped, user, system; };
struct Settled { int32_t fd; uint32_t what; uint64_t offset; };
constexpr uint32_t kMoved = 1, kTouched = 2, kReleased = 4;   // to that offset; read, which home has not seen; read ahead no more

inline uint32_t status_bytes(uint32_t nr) { return nr == 332 ? 256 : 144; }   // of statx(2), of newfstatat(2)

struct Delivery {               // reply to get_signal
  SigAction action;
  uint64_t old_mask, new_mask;
  uint8_t info[128];
};

enum class EventType : uint8_t { signal = 1, home, stop, resume, on, ahead, drop };
struct Event { EventType type; uint8_t kept; uint16_t slot; uint32_t argument; };   // on: argument = number of the memory channel
// ahead: memory is to be copied while the process runs, over the channel of that number: slot = 1: a spare one from home; 0: that to the next node.
// kept: home still has pages that it can be asked for.
// home: argument = number of the stage that it has of the memory, 0: none.
// The other way there is but one message, by the guest's keeper, which outlives it: how a process ended that home did not end.
constexpr uint32_t kFarewellMagic = 0x4c575246;
struct Farewell {
  uint32_t magic;
  int32_t status;             // as wait(2) has it
};
// What a guest process that cannot go on ends with; 128 and more: by that signal, in the stub's own code.
enum class Ending : int32_t { disconnected = 1, no_thread, no_process, no_pool, no_watch, no_maps, nonsense, failed = 128 };

// --- Mover and stub at home: SOCK_SEQPACKET ----------------------------------------------------------------------------------
enum class Role : uint16_t { proc, event, thread, spare, maps, pagemap, file };   // file: that is mapped shared, and leased
struct Handover { Role role; uint16_t index; uint32_t last; uint64_t start, end; };   // one descriptor with each; of a file: its mapping
enum class Report : uint32_t { sent = 1, ready, running, failed };
constexpr int32_t kCountsTime = 62;                 // ETIME: a timer of CPU time is set, which nothing but a call of the process itself shows
struct ReportMessage { Report type; int32_t error; Sent sent; uint64_t at; };

// --- Keeper, gate and guest: SOCK_SEQPACKET ----------------------------------------------------------------------------------
// channel: from the keeper, with a descriptor. watch: process `pid` uses the spare as `kind` says. pool: channels of process `pid` are to come over
// the socket that comes along.
enum class PoolType : uint32_t { channel = 1, watch, pool };
struct PoolMessage { PoolType type; ChannelKind kind; uint16_t index; int32_t pid, owner; };

// A guest process gets its own /proc/self/{maps,pagemap,smaps,status} from its keeper, without a /proc: openat(kOwnFile, kOwnMaps, ...) from the
// stub. No program can mean this by a descriptor.
constexpr uint32_t kOwnFile = 0xfffffc18;   // -1000
constexpr uint64_t kOwnMaps = 0, kOwnPagemap = 1, kOwnLongMaps = 2, kOwnStatus = 3;

static_assert(sizeof(SealAddress) == 24 && sizeof(Hello) == 48 && sizeof(Challenge) == 56 && sizeof(Begin) == 80 && sizeof(Proof) == 112);
static_assert(sizeof(Request) == 120 && sizeof(Reply) == 16 && sizeof(RecordHeader) == 16 && sizeof(Farewell) == sizeof(Event));

}  // namespace mosrun
