// The memory that deputy and guest share the shape of.
//
// The stub is mapped at one address, `base`, in the home process and in its guest, so every pointer into it means the same on both sides.
//
//   base + 0        code        the blob, r-x
//   base + 256 KiB  Control     one per process: phase, sessions, counters, descriptors
//   base + 512 KiB  vdso        guest only: the hosting kernel's own vvar and vdso, moved here
//   base + 1 MiB    book        Mapping[]: guest: mappings whose truth lies at home; home: the skeleton while leaving
//   base + 3 MiB    list        Mapping[]: scratch for one pass over /proc/self/maps
//   base + 6 MiB    slots       1 MiB each, mapped on demand, aligned, so that a thread finds its slot by masking its stack pointer
//   behind them     ahead       guest only: what has been read ahead of the program
//
//   slot + 0        Slot
//   slot + 4 KiB    frame       the program's registers as an rt_sigframe, with its FPU state
//   slot + 32 KiB   buffers     marshalled requests and replies
//   slot + 1 MiB    stack       grows down; also the guest thread's real alternate signal stack
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"
#include "statistics.h"

namespace mosrun {

constexpr uint32_t kProtocol = MOSRUN_PROTOCOL;
constexpr uint64_t kControlMagic = 0x31304c54434d4f53;         // "SOMCTL01"
constexpr uint64_t kBlobMagic = 0x3130424f4c424f4d;            // "MOBLOB01"

constexpr uint64_t kPage = 4096;
constexpr uint64_t kCodeSize = 256 << 10;
constexpr uint64_t kControlOffset = 256 << 10;
constexpr uint64_t kVdsoOffset = 512 << 10;
constexpr uint64_t kVdsoSize = 256 << 10;
constexpr uint64_t kAheadOffset = 768 << 10;                   // what copies memory ahead, or takes it (ahead.cc, stage.cc): its stack and lists
constexpr uint64_t kAheadSize = 256 << 10;
constexpr uint64_t kBookOffset = 1 << 20;
constexpr uint64_t kBookSize = 2 << 20;
constexpr uint64_t kListOffset = 3 << 20;
constexpr uint64_t kListSize = 3 << 20;
constexpr uint64_t kSlotsOffset = 6 << 20;
constexpr uint64_t kSlotSize = 1 << 20;
constexpr unsigned kMaxSlots = 2048;
constexpr uint64_t kReadOffset = kSlotsOffset + kMaxSlots * kSlotSize;
constexpr uint64_t kReadHead = 64 << 10;
constexpr uint64_t kReadBlock = 64 << 10;
constexpr unsigned kReadBlocks = 256;
constexpr uint64_t kReadSize = 17 << 20;
constexpr uint64_t kLookMost = 64 << 10, kLookFew = 1024;      // bytes of a file's beginning
constexpr uint64_t kListingSize = 128 << 10;                   // a directory's names, and what is known of them (statuses.cc)
static_assert(kReadHead + (kReadBlocks + 1) * kReadBlock + kListingSize + kLookMost <= kReadSize);
// Guest: pages of files that its node keeps for all processes of one user of its home (file-cache.h).
constexpr uint64_t kCacheOffset = kReadOffset + kReadSize;
constexpr uint64_t kCacheHead = 1 << 20;
constexpr uint64_t kCacheBlock = 64 << 10;
constexpr unsigned kCacheBlocks = 2032;
constexpr uint64_t kCacheSize = 128 << 20;
static_assert(kCacheHead + kCacheBlocks * kCacheBlock == kCacheSize);
constexpr uint64_t kRegionSize = kCacheOffset + kCacheSize;  // address space that must be free; at home only what is used is mapped, in a guest the rest is reserved

constexpr uint64_t kFrameOffset = 4 << 10;
constexpr uint64_t kFrameSize = 28 << 10;                      // AMX needs 11,008 bytes of XSAVE area
constexpr uint64_t kBufferOffset = 32 << 10;
constexpr uint64_t kBufferSize = 512 << 10;
constexpr uint64_t kStackLow = kBufferOffset + kBufferSize;    // the stack has the rest of the slot
constexpr uint64_t kStackTop = kSlotSize - 64;
constexpr unsigned kSpares = 16;

constexpr int kControlSignal = 64;   // glibc uses 32 and 33 internally, and nobody the last one
constexpr int kSignals = 64;
// The value of those that are ours at home, where anybody may send one to the program: 0 lets a thread go of its call, kHome and kOn are orders.
constexpr uint64_t kOurs = 0x6d6f7372756e0000;
constexpr uint64_t kRetries = kOurs + 0x100;                   // of a timer: the process is to try again to come home

// The header at the start of the blob; offsets are from the blob's start.
struct BlobHeader {
  uint64_t magic;
  uint32_t protocol;
  uint32_t size;
  uint32_t leave;          // home: a thread enters the stub here, slot in rsp
  uint32_t arrive;         // hosting node: the husk enters here
  uint32_t clocks_begin;   // replacements of vdso functions, run in the program's own context
  uint32_t clocks_end;
  uint32_t finish, finish_call;   // home: the instructions that wait for a call's rest and make it (rest.cc)
};

struct SigAction {          // the kernel's own layout (rt_sigaction(2))
  uint64_t handler, flags, restorer, mask;
};

struct AltStack {           // stack_t
  uint64_t sp;
  int32_t flags;
  int32_t pad;
  uint64_t size;
};

enum class Kind : uint32_t { anon, file_private, file_shared, shared_anon, stack, vdso, other };

// One mapping. `lazy`: pages are fetched from home when first touched; of anonymous memory, those that were left there (left.cc). `written`: may differ from the file, so its pages travel home.
// shared_anon: memory that only this process maps now, though it is of the kind that others could. Several mappings may show the same of it:
// then the object has a number, as home has it, and `at` is the page of it that the mapping begins with. `alias`, in a guest: they do.
// file_private: `object` is the number of the file among those known (Control::files), `at` the page of it.
struct Mapping {
  uint64_t start, end;
  uint32_t prot;
  Kind kind;
  uint16_t flags;
  uint16_t object;                 // 0: one that home does not have
  uint32_t at;
};
// Of a file whose content tells itself apart by this (home-pages.cc).
struct FileIdentity {
  uint64_t device, number, size;
  int64_t changed, changed_ns;     // its ctime
};
// Home: a shared mapping of a file that the guest may have pages of, and the read lease on it (mapped-files.cc).
struct MappedFile {
  int32_t fd;                      // + 1; 0: none
  uint32_t pad;
  uint64_t start, end;
};
// With the answer to open(2): the file's struct stat, and which file it is, if that is one of the system's.
struct Looked {
  uint64_t status[18];
  FileIdentity file;
};
// Guest: the file that was opened last, and what home said of it (first-look.cc).
struct FirstLook {
  volatile uint32_t fd;           // + 1; 0: none
  uint32_t by, shared;            // the slot that opened it; Control::shared then
  uint32_t moved, maps;           // its place is not what home thinks; it may be mapped unheard
  uint32_t ends, pad;             // its bytes are all that there are
  uint32_t fresh, stands;         // nothing has happened since that the program could know of; it is of the system, and this process has changed nothing
  uint64_t offset, bytes;         // where the program is; so much of its beginning is here
  int64_t at;                     // when, ns
  Looked looked;
};

// Guest: what is known of the directory that the program has read last: nothing; its names; and what is at some of them, and nothing has happened since that
// the program could know of. never: home does not tell.
enum class Listed : uint32_t { none, names, statuses, never };

constexpr unsigned kFilesKnown = 256;
constexpr uint32_t kChangesKnown = 16;
constexpr uint16_t kLazy = 1, kWritten = 2, kEager = 4, kAlias = 8, kDontFork = 16, kWipeOnFork = 32, kDontDump = 64, kGrowsDown = 128;
// In a stage: of the heap, which brk(2) makes; made at home for it, and not there before.
constexpr uint16_t kHeap = 256, kMade = 512;
constexpr uint64_t kBookMax = kBookSize / sizeof(Mapping);
constexpr uint64_t kListMax = kListSize / sizeof(Mapping);
// A guest that is built keeps in the upper part of the list what has come while the process still ran.
constexpr uint64_t kStageOffset = 1 << 20;
constexpr uint64_t kStagedMax = (kListSize - kStageOffset) / 2 / sizeof(Mapping);
static_assert(kStagedMax * sizeof(Mapping) <= kStageOffset);
// What moves: all that a kernel lets a process have (vm.max_map_count is 65,530), but for those of the stub itself. Of files fewer: the book's entries cut
// the list's in pieces, for which it must have room.
constexpr uint64_t kMappingsMax = 65400, kFilesMax = (kListMax - kMappingsMax) / 2;
static_assert(kMappingsMax < kBookMax);

// What a fork, a core and the growth of a stack go by, and only the long list tells (VmFlags in /proc/PID/smaps, proc(5)): madvise(2), MAP_GROWSDOWN.
// Other advice (huge pages, equal pages, order of reading) is on how to go about it, and each node goes about it in its own way.
struct Advice {
  char letters[3];
  uint16_t flag;
  uint32_t give, take;             // madvise(2); 0: none does
};
constexpr Advice kAdvice[] = {{"dc", kDontFork, 10, 11}, {"wf", kWipeOnFork, 18, 19}, {"dd", kDontDump, 16, 17}, {"gd", kGrowsDown, 0, 0}};
constexpr uint16_t kAdvised = kDontFork | kWipeOnFork | kDontDump | kGrowsDown;

enum class Phase : uint32_t { none, leaving, away, returning, home, moving };   // moving: away, on its way to another node
enum class Side : uint32_t { home, guest };

struct Spare { int32_t fd; uint32_t index; };

// Home: the stay that a process on its way from one hosting node to another is to have, until it is the one it has.
struct Stay {
  uint64_t session;
  uint8_t token[32];
  uint32_t gate_address;           // network order
  uint16_t gate_port;              // network order
  uint16_t spare_serial;
  uint32_t first;                  // slot whose channel the move itself uses
  uint32_t memory;                 // number of the channel between the two nodes
  int32_t event;
  uint32_t seal;                   // number of this node's mosseal, over which all channels go; 0: none, they are not encrypted
  Spare spares[kSpares];
};

constexpr uint32_t kBegun = 4;
constexpr uint32_t kHome = 1, kOn = 2, kAheadHome = 3, kAheadOn = 4;   // the last two: memory is to go ahead, the process runs on
// The number of a channel from home for memory that comes ahead: this bit, which of the stage's channels it is, and the stage's number.
constexpr unsigned kStreams = 4;
constexpr uint32_t kStageBit = 0x8000, kStageStream = 0x2000, kStageNumbers = 0x2000;
static_assert(kStageStream * kStreams == kStageBit);

// What belongs to a process even where a vfork child shares its memory. Home keeps the actions here and uses Control for the rest.
struct Process {
  SigAction actions[kSignals];     // the program's own view; index = signal - 1
  int32_t pid;
  int32_t event;                   // event channel
  volatile uint32_t event_lock;
  volatile uint32_t threads;
  volatile uint32_t parked;
  volatile uint32_t want_park;     // kHome, kOn: every thread stops where the program's own context is known
  uint32_t memory;                 // kOn: number of the channel to the next node
  volatile uint32_t stopped;       // ^Z: the guest stands still; a futex
  volatile uint32_t staying;       // home could not take it: parked threads go on
};

// Layout fixed by prctl(2) PR_SET_MM_MAP.
struct MmMap {
  uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end;
  uint64_t auxv;
  uint32_t auxv_size, exe_fd;
};

// What becomes of a call that is never served away: it brings the process home, fails, fails with a line on standard error, or ends the program.
enum class Unserved : uint32_t { home, error, warn, end };

// A signal of our number for the program, which cannot have it away: it gets it at home.
struct Held {
  volatile uint32_t taken;
  uint32_t pad;
  uint8_t info[128];
};
constexpr unsigned kHeldMax = 8;

constexpr unsigned kLeases = 32;               // files that are read ahead at a time
constexpr unsigned kMappedFiles = 256;         // mappings of files that are shared and read
// A file that shows what /proc would of this process while it is away (shown-views.cc): what, is it yet to be read since it was written, and which it is.
constexpr uint64_t kClockCode = 35;
constexpr int kShownViews = 16;
struct ShownView {
  volatile uint32_t shown;        // Shown
  volatile uint32_t fresh;
  uint64_t device, number;
};
constexpr int kOwnFiles = 1024;                // descriptors of which it is known whether nobody else has their open files: those below
constexpr uint32_t kReadWindow = 128 << 10;        // bytes that a guest asks for ahead in one request
constexpr unsigned kReadWindows = 8;               // requests of one thread under way

struct Control {
  uint64_t magic;
  uint64_t base;
  volatile uint32_t phase;        // Phase; a futex
  volatile uint32_t side;
  int32_t pid;                    // of this process, as it sees itself
  uint32_t protocol;

  volatile uint32_t threads;      // live threads of this process
  volatile uint32_t inside;       // home: threads whose instruction pointer may still be in the stub
  volatile uint32_t arrived;      // leaving: threads that wait; arriving: threads created
  volatile uint32_t parked;       // home, returning: frames received
  volatile uint32_t given_up;     // home: returns and moves on that were given up
  volatile uint32_t moved_on;     // home: moves from one hosting node to another
  volatile uint32_t lock;         // slots, spares, book
  volatile uint32_t ending;       // home: a lock, of a thread that ends while it closes its channel
  volatile uint32_t failed;       // leaving, moving: why the leader gave up (errno) before it met the mover, 0 if it did not

  int32_t mover;                  // home: the mover's end of the leader's socket pair, for pidfd_getfd
  int32_t mover_peer;
  int32_t event;                  // event channel
  int32_t pool;                   // guest: socket from the keeper that this process's spare channels come from
  int32_t keeper;                 // guest: socket to the keeper, shared by all of the session
  int32_t memory;                 // guest, arriving from another hosting node: the stream its memory comes over
  Spare onward[kStreams];         // guest: the streams to the node it is to move on to
  int32_t maps, pagemap;          // its own /proc/self/{maps,pagemap}; home: from the mover, since who gave up its privileges may not open them
  int32_t long_maps;              // guest: /proc/self/smaps
  int32_t status;                 // guest: /proc/self/status
  int32_t proc;                   // home: /proc, so that a program in another root is served too
  int32_t uffd;
  int32_t window;                 // home: first descriptor number of the reserved window
  int32_t window_end;
  uint32_t slots;                 // highest slot index ever used + 1
  uint32_t timeout_ms;

  uint64_t session;
  uint8_t token[32];
  uint32_t gate_address;          // network order
  uint16_t gate_port;             // network order
  uint16_t spare_serial;
  uint32_t seal;                  // as in Stay
  Spare spares[kSpares];

  uint64_t vdso_start, vdso_end;  // of home
  uint64_t vdso_clock_gettime, vdso_getcpu, vdso_clock_getres;  // guest: functions of the hosting kernel's vdso
  uint64_t vdso_clock;            // guest: the beginning of home's clock_gettime, of so many bytes (kClockCode); 0: not patched to make system calls
  int64_t realtime_offset;        // ns to add to the hosting node's CLOCK_REALTIME
  uint64_t process_cpu_base;      // ns of CPU used before this stay
  uint64_t earlier[2];            // µs of it, as the program and in the kernel, on other hosting nodes, of which home knows nothing
  MmMap mm;
  uint64_t stack_limit, stack_max;
  uint64_t space_limit, data_limit;   // of the program (RLIMIT_AS, RLIMIT_DATA), for the guest to hold
  uint64_t book_entries;
  uint32_t advised;               // some mapping may have a flag of kAdvised, so the long list is read; home: `maps` is that
  // Home has run until it was stopped, and the long list counts every page: what was advised since it was last read is not known. A guest asks before
  // that would count (sure_of_advice).
  uint32_t unsure;
  volatile uint32_t dropping;     // home: a lock, of who gives back pages
  uint64_t drop_next;             // home: next skeleton entry whose pages are to be dropped
  uint32_t keeps, kept;           // home: they are only marked as not needed (MADV_FREE), for it may come back with the same; some are
  // Home, leaving: so much of its memory went ahead while the process ran, and its pages are watched since (engine/dirty.h).
  uint64_t staged_bytes, staged_pages, staged_saved;
  uint32_t live;
  uint64_t frozen_at;             // CLOCK_MONOTONIC ns of the first stop of the move under way
  uint64_t realtime_at;           // CLOCK_REALTIME ns a moment later
  int32_t return_reason;
  int32_t return_error;           // errno of the last return that was given up
  volatile uint32_t lost;         // home: the message has been written
  uint32_t fault;                 // of this side, faults.h; 0 when it has happened
  uint32_t core_pipe;             // home: cores go to a program (core(5)), whatever the limit on their size
  uint32_t unserved;              // home: Unserved
  uint32_t packs;                 // memory that goes ahead may be packed
  uint32_t awake;                 // a guest's thread may stay awake for a reply (awaiting.cc)
  uint32_t lazy;                  // home: what of its memory can is left there, and follows as it is touched (left.cc)
  uint32_t locked;                // the process had memory locked as it left its home (mlock(2)), and there it has still
  uint32_t has_left;              // guest: some of it was
  volatile uint32_t left_changed; // guest: how often some of it came to be as any other
  uint32_t no_guards;             // the kernel here does not tell guards from other pages (pagemap.h)
  // Home: mosd's word that there is no memory to take the process back with, good until then (CLOCK_MONOTONIC ns); and the call that waits for it, and
  // when it last asked.
  volatile uint64_t no_room_until, waits_at;
  volatile uint32_t waits_for;
  // Home: a control signal that is still pending when the process starts another program, or has its own handlers again, would end it. So senders
  // and those who are about to do so look out for each other.
  volatile uint32_t order;        // the mover's, kHome or kOn, until it is taken
  volatile uint32_t nudging;      // threads that send control signals to others
  volatile uint32_t mover_nudges; // the mover is about to send one
  volatile uint32_t no_nudges;    // threads that it must not be sent to now, or all
  volatile uint64_t killed_at;    // CLOCK_MONOTONIC ns: when one was last sent by kill(2), for there was no room in the queue (RLIMIT_SIGPENDING)
  uint32_t vfork;                 // home: the guest shares its memory with its parent, which waits for it
  // Memory that is copied ahead of a move home or on, while the process runs. Guest: the channels from home, with their numbers; who copies, a futex that the
  // kernel clears; what watches the changes; the number under which all has been copied, and of the stage that home has.
  Spare ahead[kStreams];
  volatile uint32_t copying;
  int32_t watch, copier_files[2];
  volatile uint32_t copied, stage_at_home;
  volatile uint64_t ahead_bytes;       // and how much it has sent, for whoever wants to know how long that takes
  // Home: how far its stage is, and how often one has come to an end.
  volatile uint32_t stage, stages;     // Coming
  volatile uint32_t stage_thread;      // its number while it lives; the kernel clears it
  uint32_t stage_number;
  volatile uint64_t stage_bytes, stage_saved;
  uint64_t staged;                     // mappings in the stage's list
  // Mappings of the deputy's own, for long calls: they may lie where the guest has memory. More than there is room to note: spaces_more.
  uint64_t spaces[8][2];
  uint32_t spaces_more;
  Held held[kHeldMax];
  uint32_t reads_ahead;                 // home: files may be read ahead of the program
  volatile uint32_t breaking;     // home: somebody wants to write to such a file, and the guest is to drop what it has
  volatile uint32_t lease_lock;   // home
  int32_t leases[kLeases];        // home: the descriptors + 1; 0: none
  // Home: one of these is wanted by others, or could not be leased; the timer of the next try to come home, + 1, when that is and how long was waited for it, ns.
  uint32_t must_return;
  int32_t return_timer;
  volatile uint64_t return_at;
  int64_t return_pause;
  MappedFile mapped_files[kMappedFiles];   // home
  int32_t pipe[2];                // home: what is read ahead goes through it, uncopied; the descriptors + 1; 0: none yet; -1: none can be had
  volatile uint32_t pipe_used;    // by one thread at a time
  volatile uint32_t read_lock;   // guest: all that has to do with reading ahead
  uint32_t read_room;            // guest: its memory is there
  volatile uint32_t sharing, shared;       // guest: calls under way that close descriptors or give them to others; and all there ever were
  FileIdentity files[kFilesKnown];
  uint32_t files_known;
  uint32_t has_cache;                   // guest
  // Guest: counts changes of mappings of files, odd while there is one; and where the last were (file-pages.cc).
  volatile uint32_t mappings_changed;
  struct { uint64_t start, end; } changes[kChangesKnown];
  uint32_t no_pages_ahead;              // guest: home sends none
  uint64_t own_files[kOwnFiles / 64];   // guest: descriptors of files that may be read ahead, and that no other process has
  uint64_t behind_files[kOwnFiles / 64];   // guest: descriptors of files that writes to need not be waited for
  int64_t behind_left;                  // guest: bytes of such writes until home is asked again
  volatile uint32_t behind_changes;     // guest: calls that may have made another file of a descriptor
  volatile uint32_t behind;             // calls that are not waited for; guest: sent; home: done, a futex
  uint32_t writes_behind, maps_behind;  // home: writes and mappings may be such
  uint8_t late[kOwnFiles];              // home: what became of a write that was not waited for (errno), until a call on its descriptor tells it
  volatile uint32_t writing;            // home: threads that carry out such calls
  // Guest: what its only thread has just mapped, a file of the system's: the descriptor + 1, where, and which file.
  int32_t mapped;
  uint64_t mapped_start, mapped_end;
  FileIdentity mapped_file;
  uint64_t plain_files[kOwnFiles / 64]; // guest: descriptors of files that were opened to read alone, so that nothing can come of their end
  FirstLook look;                       // guest
  volatile uint32_t listing;            // guest: Listed
  // Guest: what getrusage(2) said at home, of whom, to its only thread, and which of its requests that was: it says the same until the next.
  uint64_t usage_asked;
  uint32_t usage_by;                    // slot
  int32_t usage_of;
  uint8_t usage[144];
  ShownView shown[kShownViews];         // home
  volatile uint32_t views_shown;        // home: there has been one
  Stay next;
  Process process;
  TickRate ticks;
  Statistics statistics;
};

// none; memory comes; it is all there; the process is coming home to it; it is given up.
enum class Coming : uint32_t { none, coming, ready, used, leaving };

enum class SlotState : uint32_t { free, used, dying };

// Home: how it stands with a call that its socket's own time-out may end (socket-times.cc).
enum class SocketWait : uint32_t { none, timed, let_go, over };   // let_go: it had begun to wait; over: that, and its time is over

// Guest: a stretch that home has been asked for, of a file or of a file's mapping.
struct Window {
  uint64_t at;
  uint32_t file, length;          // file: 0: a mapping; kWriteBehind: a write of so many bytes, to descriptor `at`; kStatuses: of names
  uint32_t got, used;             // of a file, once it has begun to come: its bytes, and those the program has
  uint32_t begun;
  uint32_t generation;            // of a mapping: of all mappings, when it was asked for
};

constexpr uint32_t kWriteBehind = ~0u, kStatuses = ~0u - 1;

// A thread's part of the stub.
struct Slot {
  uint32_t index;
  volatile uint32_t state;        // SlotState
  int32_t tid;
  int32_t channel;                // this side's end of the thread's stream
  int32_t next_channel;           // home, moving: the one to the next node
  Process *process;
  uint64_t mask;                  // the program's signal mask
  AltStack altstack;              // the program's alternate stack
  uint64_t fs_base, gs_base;
  uint64_t robust_list, robust_length;
  uint64_t tid_address;
  uint64_t rseq;
  uint32_t rseq_length, rseq_signature;
  uint64_t frame_length;          // bytes used at slot + kFrameOffset
  volatile uint32_t interrupt;    // home: 1 a signal is in hand, 2 the thread is to let go of its call: tested just before it; kBegun: it had begun it
  volatile uint32_t busy;         // home: a request is in hand
  volatile uint32_t starting;     // home: it starts another program, and is not to be sent a control signal
  volatile uint32_t signal_waits; // guest: the deputy has a signal for this thread
  volatile uint32_t stepping;     // guest: single-stepping out of a clock function
  uint32_t in_hand;               // home: number of the signal caught and not yet fetched
  volatile uint32_t told;         // home: the guest knows of it
  SigAction caught_for;           // home: the action it was caught for, whatever becomes of that meanwhile
  uint8_t info[128];              // its siginfo
  uint64_t fault_ip;              // home: where a fault was last reported in the stub
  uint32_t fatal;                 // home: number of the signal that ends the process with a core, once its memory is back
  uint8_t fatal_info[128];
  uint32_t continued;             // home: the call in hand was ended by SIGCONT alone
  uint32_t leader;
  uint32_t put_off;               // home: its calls that were answered with "again" since it last parked
  uint64_t deadline;              // guest: of the call that was let go, CLOCK_MONOTONIC ns, 0 = none
  uint64_t deadline_ip;           // its instruction
  uint64_t deadline_argument;     // home: the register that points to `scratch` for the rest of the time: its number, and its true value
  uint64_t deadline_value;
  uint64_t begun_ip;              // behind the instruction of a call that was begun and let go: a handler without SA_RESTART ends it
  uint64_t rest_ip;               // behind the instruction of a call of which a part is done: what is issued again is the rest of it (rest.h)
  uint64_t rest_done;             // bytes, or messages
  uint64_t rest_registers[8];     // home: the program's bx, di, si, dx, r10, r8, r9 and the address behind its instruction, while it is `finishing`
  uint64_t rest_call[7];          // and the arguments and the number of the rest
  struct { int32_t fd; int16_t events, revents; } rest_ready;   // poll(2)
  volatile uint32_t finishing;    // home: the thread does the rest in the stub, which stays until then
  uint64_t scratch[7];
  uint64_t rest_over;             // home: what the call gives whose time is over while it is `finishing`: -errno; 0: it has no time
  uint64_t rest_most;             // home: so many bytes of the rest, and it is done; 0: all of it
  uint64_t socket_deadline;       // home: of the call below, ended by the time-out of its socket; CLOCK_MONOTONIC ns, 0 = none
  uint64_t socket_call, socket;   // its number and descriptor
  volatile uint32_t socket_wait;  // SocketWait
  uint64_t wait_mask;             // home: mask of the wait in hand (sigsuspend, ppoll)
  volatile uint32_t wait_masked;  // 1: there is one; 2: the signal in hand was caught under it
  uint64_t cpu_base;              // guest: ns of CPU the thread had used before this stay
  uint64_t cpu_here;              // and in it, when it last parked
  uint64_t earlier[2], here[2];   // µs, as the program and in the kernel: on other hosting nodes before; and on this one, when it last parked
  int32_t clear_word;
  uint32_t windows_waiting;       // guest: of `windows`, in the order they come
  uint32_t drops;                 // guest: home has said that what was read ahead is to be dropped
  uint32_t serving;               // guest: it writes to the program's memory with the lock held: no page is fetched for that
  uint32_t saw_sharing, saw_shared;     // guest: as the call in hand began
  Window windows[kReadWindows];
  volatile uint32_t recall;       // guest: a control signal came during a wait inside the stub; what it was for is done after the call
  // times.cc. Guest: how often it asked home; ticks of the last of its calls for which it did, and its number + 1, until home has been told; and those of
  // its calls since for which it did not. Home: ticks and bytes of what it was asked for since; and of the request in hand, the ticks of its answer's way
  // into the socket, which is none of home's work.
  uint64_t asked, spent, answered, answered_ticks, home_ticks, home_bytes, sending;
  uint32_t spent_for;
  uint32_t no_ticks;              // home: the program has this thread's counter of ticks forbidden (PR_SET_TSC)
  uint32_t quick, in_time, in_vain;   // guest: replies that came at once, in a row; while it was awake for them; how often it was so for nothing (awaiting.cc)
  uint32_t saw_changes;           // guest: behind_changes as the call in hand began
  Process own_process;            // used by a vfork child
  uint64_t faulted_at;            // guest: where no page was to be found, and none was missing any more (file-pages.cc)
};

// The kernel's rt_sigframe on x86_64 (arch/x86/include/asm/sigframe.h).
struct Registers {
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
  uint16_t cs, gs, fs, ss;
  uint64_t err, trapno, oldmask, cr2, fpstate;
  uint64_t reserved[8];
};
struct Context {
  uint64_t flags, link;
  AltStack stack;
  Registers regs;
  uint64_t mask;
};
struct Frame {
  uint64_t restorer;
  Context context;
  uint8_t info[128];
};
constexpr uint64_t kXstateInFrame = 512;                 // from the frame's start, 64-byte aligned
constexpr uint32_t kFpMagic1 = 0x46505853, kFpMagic2 = 0x46505845;
constexpr uint64_t kContextFlags = 7;                    // UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS

static_assert(sizeof(Registers) == 256);
static_assert(sizeof(Context) == 304);
static_assert(offsetof(Frame, context) == 8);
static_assert(sizeof(Frame) == 440);
static_assert(sizeof(Control) <= (128 << 10));
static_assert(sizeof(Slot) <= kFrameOffset);
static_assert(offsetof(Slot, rest_done) == SLOT_REST_DONE && offsetof(Slot, rest_registers) == SLOT_REST_REGISTERS && offsetof(Slot, rest_call) == SLOT_REST_CALL && offsetof(Slot, finishing) == SLOT_FINISHING && offsetof(Slot, rest_over) == SLOT_REST_OVER);
static_assert(kXstateInFrame >= sizeof(Frame));

}  // namespace mosrun
