// A balanced tree over the call's number, so that what depends on architecture and number alone is decided without looking further: the kernel works such
// numbers out once and then lets them pass without running the program (seccomp's action cache, 5.11). Then, for numbers with conditions:
//
//   arguments that make it native anywhere   -> allow
//   instruction pointer in the stub's code, and the stub may   -> allow
//   everything else   -> SIGSYS: the stub's handler serves the call
#include "filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include <initializer_list>

#include "generated/syscalls.h"
#include "stub-calls.h"
#include "stub/layout.h"

namespace mosrun {

namespace {

constexpr uint32_t kArguments = offsetof(seccomp_data, args);
constexpr uint32_t kPointer = offsetof(seccomp_data, instruction_pointer);

struct Conditions {
  const Condition *first;
  unsigned count;
};

template <unsigned N>
Conditions find(const Condition (&all)[N], unsigned nr) {
  Conditions found{all, 0};
  for (unsigned i = 0; i < N; i++) {
    if (all[i].nr != nr) continue;
    if (found.count++ == 0) found.first = all + i;
  }
  return found;
}

enum class Plain { allow, trap, depends };

Plain plain(unsigned nr) {
  if (nr >= syscalls::count) return Plain::trap;
  if (syscalls::calls[nr].place == syscalls::Place::native) return Plain::allow;
  bool depends = find(syscalls::native_if, nr).count > 0 || find(stub_calls, nr).count > 0;
  return depends ? Plain::depends : Plain::trap;
}

class Builder {
 public:
  Builder(uint64_t base, sock_filter *out, unsigned max) : base_(base), out_(out), max_(max) {}

  unsigned build() {
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    emit(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    finish(SECCOMP_RET_TRAP);
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    // Numbers from the table's end on, x32's among them, make one last leaf.
    tree(0, syscalls::count + 1);
    return full_ ? 0 : used_;
  }

 private:
  void emit(unsigned code, uint32_t k, unsigned jt = 0, unsigned jf = 0) {
    if (used_ >= max_) {
      full_ = true;
      return;
    }
    out_[used_++] = {static_cast<uint16_t>(code), static_cast<uint8_t>(jt), static_cast<uint8_t>(jf), k};
  }
  void finish(uint32_t action) { emit(BPF_RET | BPF_K, action); }

  // Leaves for numbers [from, to).
  void tree(unsigned from, unsigned to) {
    unsigned same = from;
    while (same < to && plain(same) == plain(from) && plain(from) != Plain::depends) same++;
    if (same == to || to - from == 1) {
      leaf(from);
      return;
    }
    unsigned middle = from + (to - from) / 2;
    unsigned jump = used_;
    emit(BPF_JMP | BPF_JGE | BPF_K, middle, 0, 0);
    tree(from, middle);
    unsigned over = used_ - jump - 1;
    if (full_) return;
    if (over <= 255) {
      out_[jump].jt = static_cast<uint8_t>(over);
    } else {
      // Conditional jumps reach 255 instructions; jumps inside what moves are relative.
      emit(0, 0);
      if (full_) return;
      memmove(out_ + jump + 2, out_ + jump + 1, over * sizeof *out_);
      out_[jump].jf = 1;
      out_[jump + 1] = {BPF_JMP | BPF_JA, 0, 0, over};
    }
    tree(middle, to);
  }

  void leaf(unsigned nr) {
    if (plain(nr) == Plain::allow) return finish(SECCOMP_RET_ALLOW);
    if (plain(nr) == Plain::depends) {
      alternatives(find(syscalls::native_if, nr));
      Conditions stub = find(stub_calls, nr);
      if (stub.count > 0) inside_stub(stub);
    }
    finish(SECCOMP_RET_TRAP);
  }

  // Falls through when no group holds.
  void alternatives(Conditions all) {
    for (unsigned i = 0; i < all.count;) {
      unsigned next = i;
      while (next < all.count && all.first[next].group == all.first[i].group) next++;
      unsigned length = 1;   // the group's own return
      for (unsigned j = i; j < next; j++) length += cost(all.first[j]);
      for (unsigned j = i; j < next; j++) {
        const Condition &condition = all.first[j];
        if (condition.mask == 0) continue;
        length -= cost(condition);
        emit(BPF_LD | BPF_W | BPF_ABS, kArguments + 8u * condition.arg + (condition.high ? 4u : 0u));
        if (condition.mask != kAll) emit(BPF_ALU | BPF_AND | BPF_K, condition.mask);
        emit(BPF_JMP | BPF_JEQ | BPF_K, condition.value, 0, length);
      }
      finish(SECCOMP_RET_ALLOW);
      i = next;
    }
  }
  static unsigned cost(const Condition &condition) { return condition.mask == 0 ? 0 : condition.mask == kAll ? 2 : 3; }

  // The stub's code is aligned to its size, so it does not cross 4 GiB.
  void inside_stub(Conditions conditions) {
    unsigned start = used_;
    emit(BPF_LD | BPF_W | BPF_ABS, kPointer + 4);
    emit(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(base_ >> 32), 0, 0);
    emit(BPF_LD | BPF_W | BPF_ABS, kPointer);
    emit(BPF_ALU | BPF_AND | BPF_K, static_cast<uint32_t>(~(kCodeSize - 1)));
    emit(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(base_), 0, 0);
    alternatives(conditions);
    if (full_) return;
    for (unsigned at : {start + 1, start + 4}) {
      unsigned over = used_ - at - 1;
      if (over > 255) full_ = true;
      out_[at].jf = static_cast<uint8_t>(over);
    }
  }

  uint64_t base_;
  sock_filter *out_;
  unsigned max_, used_ = 0;
  bool full_ = false;
};

}  // namespace

unsigned build_filter(uint64_t base, sock_filter *out, unsigned max) { return Builder(base, out, max).build(); }

}  // namespace mosrun
