// Inside of the stub: what its parts offer each other.
#pragma once
#include "faults.h"
#include "sys.h"

#define BLOB_CLOCK __attribute__((section(".clocks"), noinline, used))

namespace mosrun {

extern "C" {
[[noreturn]] void resume_frame(Frame *);
void restorer();
[[noreturn]] void resume_home(Frame *, volatile u32 *inside);
i64 interruptible(volatile u32 *interrupt, i64 nr, const u64 *args);
extern const char interruptible_test[], interruptible_call[], interruptible_done[], interruptible_let_go[];
i64 copy_program(void *to, const void *from, u64 n);
i64 touch_read(u64);
i64 touch_write(u64);
extern const char finish_rest[];
extern const char access_begin[], access_end[], access_fault[], clocks_begin[], clocks_end[];
i64 clone_with_stack(u64 nr, u64 a0, u64 a1, u64 a2, void (*start)(void *), void *argument);
}
inline bool fails(Fault fault) {                          // a test wants it to, this once
  Control &c = control();
  if (c.fault != u32(fault)) return false;
  c.fault = 0;
  return true;
}
inline bool within(u64 ip, const char *from, const char *to) { return ip >= address(from) && ip < address(to); }
inline bool in_blob(u64 ip) { return ip - base() < kCodeSize; }

// Bytes of the stub's own region: no request, page or mapping of the other side may name them.
inline bool touches_stub(u64 at, u64 length) { return at + length < at || (at < base() + kRegionSize && at + length > base()); }

// --- memory.cc: mappings and their pages -------------------------------------------------------------------------------------
// Home: which of them show files that are known by what they are (home-pages.cc).
class Files {
 public:
  struct Seen { const char *path, *end; u64 major, minor, number; };
  void look(Mapping &m, u64 page, const Seen &seen);

 private:
  u64 device_ = 0, number_ = 0;
  u32 known_ = 0;
};
u64 read_mappings(int maps, Mapping *list, u64 max, Files *files = nullptr);
u64 read_mappings(int maps, Mapping *list, u64 max, uint8_t *scratch, u64 room, Files *files = nullptr);
bool eager_file_pages(const Mapping &);
i64 scan_pages(int pagemap, struct PageScan &scan);        // PAGEMAP_SCAN, with what the kernel here knows
// Sends the present pages of [start, end); file pages too if `files`.
i64 send_pages(int fd, int pagemap, u64 start, u64 end, bool files, uint8_t *scratch, Sent &sent);
i64 send_changes(int fd, int pagemap, u64 start, u64 end, uint8_t *scratch, Sent &sent);
// A `packed` record: its runs, and their bytes one behind another, in `scratch`.
// Whole pages, of the program's.
inline bool is_whole(const PageRun &run, u64 most) { return run.length <= most && (run.address | run.length) % kPage == 0 && !touches_stub(run.address, run.length); }
struct Unpacked { PageRun *runs; uint8_t *bytes; u32 count; u64 size, saved; };
constexpr u64 kUnpackedRoom = kRunsMax * sizeof(PageRun) + 2 * kPackedMax;
i64 receive_packed(int fd, const RecordHeader &header, uint8_t *scratch, Unpacked &got);
i64 send_cached_pages(int fd, u64 start, u64 end, uint8_t *scratch, Sent &sent);
i64 send_record(int fd, Record type, u32 count, const void *data, u64 length);
i64 send_state(int fd, u32 threads);
i64 receive_record(int fd, RecordHeader &header, i64 timeout_ms);
// What may go ahead while the process runs. Private copies of a file's pages may not: where one is given up (madvise(2)), the kernel leaves a mark that
// looks like a page that has not changed (pte_install_uffd_wp_if_needed, mm/memory.c).
// Anonymous memory of which home has what is not here: the program has not touched it since it left (left.cc).
inline bool is_left(const Mapping &m) { return m.kind == Kind::anon && (m.flags & kLazy); }
u64 leave_behind(Mapping *book, u64 count);                // home: marks it; the book's new length
i64 send_hot(int channel, int pagemap, const Mapping &m, uint8_t *scratch, Sent &sent);
inline bool can_be_staged(const Mapping &m) { return m.kind == Kind::anon || m.kind == Kind::stack; }
// What came while the process still ran, sorted. As the rest comes, what has been told of up to `next` is settled, and list[at] is where that is.
struct Staged { Mapping *list; u64 count, at, next; };
i64 receive_pages(int fd, const RecordHeader &header, uint8_t *scratch, Staged *staged = nullptr);
void settle_rest(Staged &);
bool stands_in(const Staged &staged, u64 at, u64 end);     // is all of it there, from `staged.at` on?
i64 add_to_stage(Mapping *list, u64 &count, u64 max, const Mapping &m, i64 (*make)(Mapping *list, u64 &count, u64 max, const Mapping &part));
i64 insert_in_stage(Mapping *list, u64 &count, u64 max, const Mapping &m);

// --- ahead.cc, stage.cc: memory that is copied while the process runs ----------------------------------------------------------
constexpr u64 kAheadStack = 48 << 10, kAheadScratch = 96 << 10, kAheadList = 64 << 10;   // the rest: what is watched
inline Mapping *ahead_list() { return pointer<Mapping>(base() + kAheadOffset + kAheadStack + kAheadScratch); }
inline uint8_t *ahead_scratch() { return pointer<uint8_t>(base() + kAheadOffset + kAheadStack); }
constexpr u64 kAheadListMax = kAheadList / sizeof(Mapping);
void copy_ahead(u32 number, bool home, bool kept);        // guest: begins to, home or on
bool copied_ahead(u32 number);                            // guest, all stand still: has it, under that number?
void leave_copier_to_parent();                            // guest, in a child
void end_copying();                                       // guest: what was copied is of no use any more
void open_stage();                                        // home: begins to take what comes ahead
i64 take_ahead(int channel);                              // home: all that comes
u32 use_stage();                                          // home, as the process is ordered back: the number of what has come; 0: nothing
void end_stage();                                         // home: it is given up, or has been used
void leave_stage_to_parent();                             // home, in a child
void unstage(u64 start, u64 end);                         // home, with the lock held: it is to be something else
void follow_advice(const Mapping *list, u64 count, bool take);
Mapping *find_mapping(Mapping *list, u64 count, u64 start, u64 end);
bool map_slot(u64 index);
// Those that a program can have: in order, of whole pages, clear of the stub. The kernel's own (Kind::other) are not looked at.
bool possible_mappings(const Mapping *list, u64 count);
void cut_front(Mapping &, u64 start);                           // the mapping begins at `start` now
bool shows_the_same(const Mapping &, const Mapping &);
bool shown_before(const Mapping *list, u64 i);

struct RLimit { u64 soft, hard; };
constexpr u64 kLimitProcessor = 0, kLimitData = 2, kLimitStack = 3, kLimitSpace = 9;   // getrlimit(2)
inline u64 soft_limit(u64 resource) {
  RLimit limit{};
  return sys(nr_prlimit64, 0, resource, 0, address(&limit)) ? ~0ull : limit.soft;
}
// It is as it was left: a limit that the program has set meanwhile, by another thread, stays.
inline bool is_limited_to(u64 resource, u64 soft) {
  RLimit present{};
  return !sys(nr_prlimit64, 0, resource, 0, address(&present)) && present.soft == soft;
}

// Home: the deputy's own memory, and the skeleton of a program that came near its limits while away, are not to be refused by them.
class WithoutLimits {
 public:
  WithoutLimits() { for (unsigned i = 0; i < 2; ++i) lift(i); }
  ~WithoutLimits() { for (unsigned i = 0; i < 2; ++i) if (lifted_[i] && is_limited_to(resources_[i], soft_[i])) sys(nr_prlimit64, 0, resources_[i], address(&kept_[i])); }
  WithoutLimits(const WithoutLimits &) = delete;
  WithoutLimits &operator=(const WithoutLimits &) = delete;

 private:
  void lift(unsigned i) {
    RLimit wide{~0ull, ~0ull};
    lifted_[i] = !sys(nr_prlimit64, 0, resources_[i], 0, address(&kept_[i])) && kept_[i].soft != ~0ull;
    soft_[i] = wide.soft;
    if (!lifted_[i] || !sys(nr_prlimit64, 0, resources_[i], address(&wide))) return;
    wide = {kept_[i].hard, kept_[i].hard};                              // without the right to raise the other
    soft_[i] = wide.soft;
    sys(nr_prlimit64, 0, resources_[i], address(&wide));
  }
  static constexpr u64 resources_[2] = {kLimitData, kLimitSpace};
  RLimit kept_[2];
  u64 soft_[2];
  bool lifted_[2];
};

// --- leave.cc, home.cc: the home side of a move ------------------------------------------------------------------------------
[[noreturn]] void leave_stub(Slot *slot);                 // back to the program, natively
void finish_call(Slot *slot);                             // rest.cc: by the rest of a call, of which a part is done
void drop_skeleton(u64 budget);
void drop_pages(const Mapping &, u64 start, u64 size);
void wait_for_deputies();                                 // until all stand still
i64 receive_home(int channel);                            // the memory comes home over a channel; on an error it is given back
struct WideLimit {                                       // while there is one, the stub may open more than the program's soft limit lets it
  RLimit was{};
  u64 widened;
  bool changed;
  WideLimit();
  ~WideLimit();
};
int keep_descriptor(int fd);                              // moves a descriptor into the reserved window
i64 meet_mover(int &socket);                              // makes a pair of sockets, of which the mover takes one
void leave_mover(int socket);
i64 receive_descriptors(int socket, bool on);             // from the mover; `on`: for the next stay
void report(int socket, Report type, i64 error, const Sent &sent);   // to the mover
i64 await_ready(int channel, Sent &got, i64 timeout_ms);  // the other node has built the guest, of so much
i64 let_run(int channel, i64 timeout_ms);                 // and says that it runs
void settle_move(Slot *slot, i64 error);                  // onward.cc: all stand still, and go on there or, after an error, where they are

// --- bounds.cc: what a request may point to ------------------------------------------------------------------------------------
struct Buffers { u64 in, in_size, out, out_size; bool cut; };
bool within_buffers(const Buffers &buffers, u32 nr, const u64 *args);

// --- views.cc: what /proc shows of the process itself ---------------------------------------------------------------------------
// The name of a descriptor of this thread's, to be looked up in `proc`.
struct DescriptorName {
  char text[32] = "thread-self/fd/";
  explicit DescriptorName(u32 fd);
};
bool opens_name(u32 nr);
u64 table_of_descriptors();                                // home: for how many the program's would have room
bool views_itself(int fd);
i64 show_view(const Request &r, const uint8_t *data);     // shown-views.cc
bool may_be_shown(int fd);
bool wants_view_again(u32 nr, const u64 *args);
bool is_no_way_to_read(u32 nr, const u64 *args);
void show_real_views(bool passed_on);

// --- deputy.cc, home-signals.cc ----------------------------------------------------------------------------------------------
[[noreturn]] void deputy(Slot *slot);
[[noreturn]] void lose(const char *why);
[[noreturn]] void lose_connection();                     // with the reason that the guest's node gives, if it gives one
bool start_return(int reason, bool instead = false);
void start_move();
// No control signal comes to this thread (home: `starting`), or to any, from here on; what was sent has been taken, or is forgotten before the stub is left.
void refuse_nudges(Slot *starting);
void accept_nudges(Slot *starting);
void forget_nudges();
u64 enter_handler(Slot *slot, const SigAction &action);   // of the signal in hand, which it is no longer; gives the mask from before
bool any_held();
void release_held();                                      // at home: to the program what is its own of our signal
void let_go_of_calls();                                  // all but this thread's: their guests look about
void come_home_to_die();                                  // of a signal that leaves a core
void come_home_unasked(int reason);                       // Statistics::last_return
bool waits_for_room(u32 nr);                             // home: it is not to come home for that call yet; after a pause
i64 come_home_to_make(u32 nr);                            // one that is served away, but not now
i64 come_home_for(u32 nr);                                // a call that turns out not to be served away: what it is answered
int take_channel(u32 serial);                             // of a spare, by the number both sides know it by
void install_home_handlers();
void restore_program_handlers();
void set_home_action(int signal);
// socket-times.cc: a call that the time-out of its socket may end, from before it is made until its result is known.
class SocketTime {
 public:
  SocketTime(Slot *slot, u64 nr, u64 fd);
  i64 settle(i64 result);

 private:
  Slot *slot_;
  u64 nr_, fd_;
  i64 began_ = 0;
  int timer_ = -1;
};
bool may_wait_by_socket(u64 nr);
i64 socket_time(u64 fd, u64 nr);                          // the time-out of the socket for calls like this one, ns; 0: none, or no socket
void take_socket_time(Slot *slot);
void leave_socket_time(Slot *slot);
[[noreturn]] void die_of(Slot *slot);                     // of its fatal signal, without the memory
void release_leases();                                   // leases.cc: of all files that are read ahead
void close_pipe();                                        // that what is read ahead goes through
bool holds_leases();
bool lease_breaks();                                      // one of them at least
bool mapped_file_breaks();
bool keep_mapped_file(int fd, u64 start, u64 end);        // mapped-files.cc
void watch_mapped_files();                                // from now on its signals are ours
bool come_home_for_mapping();                             // if somebody wants to write to one of them
void release_mapped_files();
void come_home_later();                                   // the same, after a return that was given up
void tell_signal(Slot *slot);                             // by the event channel: one is in hand
u64 handled_signals();
bool window_touches(u64 fd);
i64 open_spare(Spare &spare);                             // channel.cc
i64 open_numbered(Spare &spare);                          // with a number that is given

// --- arrive.cc, trap.cc and what follows: the guest --------------------------------------------------------------------------
constexpr i64 kAgain = -512;                              // issue the call again (rip back to the instruction)
struct Trap { Slot *slot; Context *context; bool signal_waits; };
i64 dispatch(Trap &trap, u32 nr, u64 *args);
// read-ahead.cc: reads that are answered here. A call of the program's, from before it is made until its result is known.
class ReadCall {
 public:
  ReadCall(Trap &trap, u32 nr, u64 *args, i64 &result);
  ~ReadCall();
  ReadCall(const ReadCall &) = delete;
  ReadCall &operator=(const ReadCall &) = delete;
  bool served() const { return served_; }

 private:
  bool served_ = false, counts_;
};
// first-look.cc
u32 looks_at(u32 nr, const u64 *args, const char *name);
void may_be_looked_at(Slot *slot, i64 fd, const uint8_t *bytes, u64 length, u32 flags, i64 at, bool alone);
bool serve_look(Slot *slot, u32 nr, const u64 *args, i64 &result);
// statuses.cc
void may_be_listed(const Slot *slot, u64 from, i64 length);   // what getdents64(2) has given
bool serve_status(Slot *slot, u32 nr, const u64 *args, i64 &result);
void age_listing();                                       // something has happened that the program may know of
void take_statuses(Slot *slot);                           // with the lock of what is read ahead held
bool is_quiet(u32 nr);                                    // tells nothing of what others have done
bool mapped_at_once(const Slot *slot, u64 fd, FileIdentity &file);   // the file that its only thread has just opened; false: home has to be heard
void forget_look(Slot *slot, bool tells);                 // with the lock of what is read ahead held
void age_look();
bool is_plain_file(u64 fd);                               // opened to read alone, so that nothing can come of its end
void forget_plain_files(u32 nr, const u64 *args);
void may_be_read(Slot *slot, i64 fd);                    // home says so of a file just opened
// For a request of this thread: all that was written before is to be done. A vfork child has another home than its parent, whose memory this is.
inline u32 after_behind(const Slot *slot) { return slot->process == &control().process ? load(&control().behind) : 0; }
bool write_behind(Trap &trap, const u64 *args, i64 &result);   // a write(2) that is not waited for
void may_be_written(Slot *slot, u64 fd);                  // home says so of a file just written to
void forget_written(u32 nr, const u64 *args);             // a call that may make another file of it, or forbid it
void take_written(Slot *slot);
bool close_behind(Slot *slot, u64 fd);
void seek_behind(Slot *slot, u64 fd, u64 offset);         // with the lock of what is read ahead held
bool map_behind(Slot *slot, Op op, const u64 (&args)[6]);
void receive_windows(Slot *slot);                         // all that this thread has asked for and not waited for
void take_first_window(Slot *slot);                       // of that, what comes next
void end_window(Slot *slot);                              // it has come
void take_pages(Slot *slot);                              // it is pages of a mapping, which may be lost where another thread has the lock of the mappings
void drop_reads(Slot *slot);                              // home wants it so; and is told that it has been done
void leave_reads(Slot *slot);                             // the process moves
void forget_reads(Slot *slot);                            // in a child
// Bytes with a request that are taken off this side's hands while home still sends what was asked for before.
constexpr u64 kSmallRequest = 4096;
// in[0] is for the request itself.
i64 await_reply(Slot *slot, Reply &reply);                // awaiting.cc
i64 exchange(Slot *slot, Request &r, IoVec *in, u64 ins, IoVec *out, u64 outs, Reply &reply);
i64 request(Slot *slot, Op op, u64 a0 = 0, u64 a1 = 0, u64 a2 = 0, u64 a3 = 0, u64 a4 = 0, u64 a5 = 0);
i64 ask(Trap &trap, Op op, u32 nr, u64 a0 = 0, u64 a1 = 0, u64 a2 = 0, u64 a3 = 0, u64 a4 = 0, u64 a5 = 0);
i64 forward_call(Trap &trap, u32 nr, u64 *args);          // by the table
i64 special_call(Trap &trap, u32 nr, u64 *args);
i64 memory_call(Trap &trap, u32 nr, u64 *args);
bool sure_of_advice(Trap &trap);                          // false: home has mappings that this side does not know enough of: go home
void hold_limits(u64 slots);                              // the program's limits on memory, and room for the stub
i64 thread_call(Trap &trap, u32 nr, u64 *args);
i64 exec_call(Trap &trap, u32 nr, u64 *args);
i64 signal_call(Trap &trap, u32 nr, u64 *args);
constexpr u64 kClearSighand = 0x100000000;                // CLONE_CLEAR_SIGHAND
void clear_handlers(Process &process);
i64 tell_action(Trap &trap, u64 signal, const SigAction &action, bool by_call = false);   // of the program's, to home
i64 ipc_call(Trap &trap, u32 nr, u64 *args);
i64 time_call(Trap &trap, u32 nr, u64 *args);
i64 go_home(Trap &trap, int reason);                      // returns kAgain: the call is issued again at home; or the error it is to fail with
bool refuses_call(i64 reason);                            // home: the call is to fail; comes back not at all where the program is to end
i64 go_home_locked(Trap &trap, int reason);               // for a caller that holds the control lock
void call_home(Process *process);
void begin_vfork(void *slot);
void note_events(Slot *slot);
void end_begun_call(Slot *slot, Registers &regs, u64 action_flags);
void install_guest_handlers();
void park(Slot *slot, Context *context);                  // park.cc: stands still, to go home or on; returns if it goes on here
void send_copy_home(Slot *image);                         // a child that exists at home alone: the thread that `image` tells of, and all of this memory
constexpr u64 kTrapFlag = 0x100;                          // of the flags register: single steps
bool at_native_futex(const Registers &regs);
// Size of the FPU state at `fp`, as the kernel lays it out (arch/x86/kernel/fpu/signal.c). The word behind magic1 counts: 464 is the magic itself.
inline u32 xstate_size(const uint8_t *fp) {
  u32 magic, size = 512;
  copy(&magic, fp + 464, 4);
  if (magic == kFpMagic1) copy(&size, fp + 468, 4);
  return size;
}
u64 list_mappings(Mapping *list, bool for_home);         // all that the guest has, of which the book knows more
i64 tell_view(Trap &trap, i64 fd, u32 nr);
bool have_own_files();                                    // a child born here asks the keeper for them, by its first thread
void guest_altstack(Slot *slot);
void deliver_waiting(Slot *slot, Context *context);
bool deliver(Slot *slot, Context *context, const SigAction &action, const uint8_t *info, u64 old_mask);
bool fetch_page(Slot *slot, u64 at);
i64 touch_range(u64 at, u64 length, bool write);          // bytes that are accessible
bool bring_range(u64 at, u64 length, bool write);
[[noreturn]] void guest_dies(Ending);
bool in_clocks(u64 ip);                                   // the clock functions: code that is not the program's, and does not travel
void patch_vdso(u64 home_vdso, u64 guest_vdso);
extern "C" void guest_trap(int, uint8_t *, Context *);
void own_events(int event, int pid);
i64 watch_missing(const Mapping &);
bool keep_spare(Spare);
// Channels that memory comes over while the process still runs: one, or several in turns.
struct Streams {
  int fds[kStreams];
  u32 count, turn;
  int next() const { return fds[turn]; }                                 // that the next record is for
  int take() {
    const int fd = next();
    turn = (turn + 1) % count;
    return fd;
  }
};
i64 next_in_pool(PoolMessage &message, int &fd, i64 timeout_ms);   // of the keeper's channels
bool stored_spare(Spare &spare);
bool take_spare(Trap &trap, Spare &spare);                // from the pool; asks home for another if it is empty
struct CloneArgs { u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; };   // clone3(2)
void call_threads(Process *process, Slot *except);        // the control signal for every thread of the process

}  // namespace mosrun
