// Stopping a process and giving its threads other registers, by ptrace(2).
#pragma once
#include <sys/user.h>

#include <map>
#include <string>
#include <vector>

#include "engine/borrowed.h"
#include "engine/waits.h"

namespace mosrun {

struct Thread {
  pid_t tid = 0;
  user_regs_struct regs{};               // as the program is to go on: an interrupted call is issued again
  user_regs_struct raw{};                // as the stop found them
  std::vector<uint8_t> xstate;           // NT_X86_XSTATE
  uint64_t mask = 0;                     // blocked signals
  uint64_t rseq = 0;
  uint32_t rseq_length = 0, rseq_signature = 0;
  uint64_t robust_list = 0, robust_length = 0;
  uint64_t cpu_ns = 0;
  int64_t rest_ns = -1;                  // of the time-out of the call it was in; -1: none
  int64_t late_ns = 0;                   // how long after the first request it was found to stand still
  int64_t deadline_ns = -1;              // of a wait that was begun before the process came home
  bool has_lost_time = false;            // it goes on with a wait that others have stopped
  bool was_let_go = false;               // one of its kind was, here, whether it is that or not
  int64_t carried_ns = -1;               // and its time, if that was known
  bool read = false;                     // its registers and its call are known
  bool in_call = false;
  uint64_t most = 0;                     // so many more, and the call is done (Slot::rest_most)
  uint64_t done = 0;                     // bytes that the call has transferred (stub/rest.h); `regs` are those of the whole call, `raw` of its end with them
  bool begun = false;                    // the call will be issued again although the program has begun it: a handler may still end it with EINTR
};

constexpr int kStopPatience = 2000;      // ms
constexpr int kNudgedTries = 5;          // then who is in the vdso is stepped out of it at once: of many threads one may always have begun a call

// All threads of a process, stopped. Whatever has not been given to `send_off` goes on unharmed when this ends.
class Tracee {
 public:
  explicit Tracee(pid_t pid) : pid_(pid) {}
  ~Tracee();
  Tracee(const Tracee &) = delete;
  Tracee &operator=(const Tracee &) = delete;

  // Seizes a program that is about to be executed and returns when it stands at its first instruction.
  bool seize_for_exec(std::string &error);
  bool wait_for_exec(int timeout_ms, std::string &error);

  // What takes a while and can be done before they stand still: looks for instructions to borrow.
  void prepare();
  bool stop(std::string &error, int patience_ms = kStopPatience);
  // After a stop that failed: the thread in state D, which may well be stopped later; 0: another reason.
  pid_t stuck() const { return stuck_; }
  bool rival() const { return rival_; }            // another mover has it this moment
  // Reads what has to travel with each thread, and settles calls that the stop interrupted. `unsettled`: a thread stands where it cannot be taken
  // from: it has to run a moment longer.
  bool read_threads(std::string &error);
  bool unsettled() const { return unsettled_; }
  // A thread goes on with a wait that others have stopped, and nobody knows what is left of its time.
  bool has_lost_time() const { return has_lost_time_; }
  bool owes_stop() const { return owes_stop_; }

  // One system call in the first of the threads, by an instruction of the program. With `chain` the program's memory below the stack holds a signal frame
  // meanwhile, so that the program continues by itself should this process be killed at any point.
  bool call(uint64_t nr, const uint64_t (&args)[6], uint64_t &result, std::string &error);

  // Lets a thread go on with other registers.
  bool send_off(Thread &thread, uint64_t ip, uint64_t sp, std::string &error);
  void resume_all();

  // A thread that does the rest of a call in the stub (stub/rest.cc), in `region`: as if it were in the call itself. False: it cannot be told yet.
  bool leave_rest(Thread &thread, Remote region, uint64_t size, uint32_t slots, uint64_t finish, uint64_t call);

  std::vector<Thread> &threads() { return threads_; }
  void carry(std::vector<Carried> waits) { carried_ = std::move(waits); }
  bool holds() const { return !attached_.empty(); }
  const std::vector<Carried> &carried() const { return carried_; }   // of the threads that went on by themselves
  bool may_nudge = true;                   // who is found in the vdso (tracee.cc)
  bool stops_late = false;                 // a test's: long after they were asked to, as on a busy machine
  bool sleep_forgotten = false;            // a test's: as if the scheduler had forgotten since when its threads sleep
  int64_t stopped_at() const { return stopped_at_; }

 private:
  bool stop_all(std::string &error);
  bool nudge();
  void find_vdso();
  void let_go(pid_t tid);
  void let_go_but(pid_t kept);
  void put_back(Thread &thread);
  void await_waits();
  Thread note(pid_t tid);
  bool read_call(Thread &thread, std::string &error);
  bool is_awaited(pid_t tid) const;
  void awaited_no_more(pid_t tid);
  bool wait_stop(pid_t tid, int patience_ms, std::string &error);
  bool stop_thread(pid_t tid, std::string &error);
  bool leave_vdso(Thread &thread, std::string &error);
  bool step_out(Thread &thread, std::string &error);
  bool step(pid_t tid, std::string &error);
  bool to_call(pid_t tid, std::string &error);
  void settle(Thread &thread);

  pid_t pid_;
  std::vector<Thread> threads_;
  std::vector<Carried> carried_;
  std::vector<pid_t> attached_;
  std::vector<pid_t> awaited_;             // those of them that have been asked to stand still, and have not been seen to
  int64_t stopped_at_ = 0;
  Gadgets gadgets_;
  std::map<pid_t, Asleep> sleeping_;       // before the last stop was asked for
  std::map<pid_t, int64_t> late_;
  std::vector<pid_t> nudged_;              // taken out of the vdso by letting them run on, since the last stop
  bool astray_ = false;                    // one of them has begun a call
  bool unsettled_ = false;
  bool has_lost_time_ = false;
  bool owes_stop_ = false;                 // a SIGSTOP met the process in the middle of what it was made to do: it gets it afterwards
  pid_t stuck_ = 0;
  bool rival_ = false;
  uint64_t where_vdso_was_ = 0, vdso_start_ = 0, vdso_end_ = 0;
};

}  // namespace mosrun
