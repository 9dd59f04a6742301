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

// --- memory.cc: mappings and their pages -------------------------------------------------------------------------------------
u64 read_mappings(int maps, Mapping *list, u64 max);
bool eager_file_pages(const Mapping &);
struct Sent { u64 bytes, pages; };
// Sends the present pages of [start, end); file pages too if `files`.
i64 send_pages(int fd, int pagemap, u64 start, u64 end, bool files, uint8_t *scratch, Sent &sent);
i64 send_record(int fd, Record type, u32 count, const void *data, u64 length);
i64 receive_record(int fd, RecordHeader &header, i64 timeout_ms);
i64 receive_pages(int fd, const RecordHeader &header, uint8_t *scratch);
Mapping *find_mapping(Mapping *list, u64 count, u64 start, u64 end);
bool map_slot(u64 index);

struct RLimit { u64 soft, hard; };

// --- leave.cc, home.cc: the home side of a move ------------------------------------------------------------------------------
[[noreturn]] void leave_stub(Slot *slot);                 // back to the program, natively
void drop_skeleton(u64 budget);
void drop_pages(Kind kind, u64 start, u64 size);
i64 receive_home(int channel);                            // the memory comes home over a channel; on an error it is given back
int keep_descriptor(int fd);                              // moves a descriptor into the reserved window

// --- deputy.cc, home-signals.cc ----------------------------------------------------------------------------------------------
[[noreturn]] void deputy(Slot *slot);
[[noreturn]] void lose(const char *why);
void start_return(int reason);
void kick(Slot *except);
int take_channel(u32 serial);                             // of a spare, by the number both sides know it by
void install_home_handlers();
void restore_program_handlers();
void set_home_action(int signal);
[[noreturn]] void die_of(Slot *slot);                     // of its fatal signal, without the memory
void tell_signal(Slot *slot);                             // by the event channel: one is in hand
u64 handled_signals();
bool window_touches(u64 fd);
i64 open_spare(Spare &spare);                             // channel.cc

// --- arrive.cc, trap.cc and what follows: the guest --------------------------------------------------------------------------
constexpr i64 kAgain = -512;                              // issue the call again (rip back to the instruction)
struct Trap { Slot *slot; Context *context; bool signal_waits; };
i64 dispatch(Trap &trap, u32 nr, u64 *args);
// in[0] is for the request itself.
i64 exchange(Slot *slot, Request &r, IoVec *in, u64 ins, IoVec *out, u64 outs, Reply &reply);
i64 request(Slot *slot, Op op, u64 a0 = 0, u64 a1 = 0, u64 a2 = 0, u64 a3 = 0, u64 a4 = 0, u64 a5 = 0);
i64 ask(Trap &trap, Op op, u32 nr, u64 a0 = 0, u64 a1 = 0, u64 a2 = 0, u64 a3 = 0, u64 a4 = 0, u64 a5 = 0);
i64 forward_call(Trap &trap, u32 nr, u64 *args);          // by the table
i64 special_call(Trap &trap, u32 nr, u64 *args);
i64 memory_call(Trap &trap, u32 nr, u64 *args);
i64 thread_call(Trap &trap, u32 nr, u64 *args);
i64 signal_call(Trap &trap, u32 nr, u64 *args);
i64 ipc_call(Trap &trap, u32 nr, u64 *args);
i64 time_call(Trap &trap, u32 nr, u64 *args);
i64 go_home(Trap &trap, int reason);                      // returns kAgain: the call is issued again at home
i64 go_home_locked(Trap &trap, int reason);               // for a caller that holds the control lock
void call_home(Process *process);
void begin_vfork(void *slot);
bool valid_altstack(const AltStack &, u64 sp);
void note_events(Slot *slot);
void end_begun_call(Slot *slot, Registers &regs, u64 action_flags);
void install_guest_handlers();
bool have_own_files();                                    // a child born here asks the keeper for them, by its first thread
void guest_altstack(Slot *slot);
void deliver_waiting(Slot *slot, Context *context);
bool deliver(Slot *slot, Context *context, const SigAction &action, const uint8_t *info, u64 old_mask);
bool fetch_page(Slot *slot, u64 at);
i64 touch_range(u64 at, u64 length, bool write);          // bytes that are accessible
[[noreturn]] void guest_dies(int status);
bool in_clocks(u64 ip);                                   // the clock functions: code that is not the program's, and does not travel
void patch_vdso(u64 home_vdso, u64 guest_vdso);
extern "C" void guest_trap(int, uint8_t *, Context *);
void own_events(int event, int pid);
i64 watch_missing(const Mapping &);
bool keep_spare(Spare);
bool stored_spare(Spare &spare);
bool take_spare(Trap &trap, Spare &spare);                // from the pool; asks home for another if it is empty
struct CloneArgs { u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; };   // clone3(2)
void call_threads(Process *process, Slot *except);        // the control signal for every thread of the process

}  // namespace mosrun
