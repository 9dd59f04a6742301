// Instructions of the program that an injected call borrows, and the frame that makes the program continue by itself afterwards.
#pragma once
#include "engine/tracee.h"
#include "stub/layout.h"

namespace mosrun {

Gadgets find_gadgets(pid_t pid);
bool still_there(pid_t pid, const Gadgets &gadgets);   // the program may have mapped something else in their place

// [TRAP] A mover killed between setting registers and putting them back would leave the program in the middle of borrowed code. So the call returns
// into a signal frame with the program's own registers, written to the lowest page of the stack, where nothing is in use.
class Chain {
 public:
  Chain(pid_t pid, const Thread &thread, const Gadgets &gadgets, const std::vector<Thread> &threads);
  ~Chain();
  Chain(const Chain &) = delete;
  Chain &operator=(const Chain &) = delete;
  bool ready() const { return stack_ != 0; }
  uint64_t stack() const { return stack_; }

 private:
  pid_t pid_;
  uint64_t stack_ = 0;
  std::vector<uint8_t> before_;
};

// The program's registers as the kernel's signal frame at `address` (FPU state included): what rt_sigreturn takes.
std::vector<uint8_t> build_frame(const Thread &thread, uint64_t address);

}  // namespace mosrun
