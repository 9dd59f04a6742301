#include "engine/gadgets.h"

#include <string.h>

#include <algorithm>

namespace mosrun {

static bool is_sigreturn(const uint8_t *p) { return !memcmp(p, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9) || !memcmp(p, "\xb8\x0f\0\0\0\x0f\x05", 7); }

static bool returns_after(const uint8_t *p, size_t left) {
  if (left > 2 && p[2] == 0xc3) return true;
  // cmp $-4095, %rax; jae +n; ret: the error branch is not taken
  return left > 10 && p[2] == 0x48 && p[3] == 0x3d && p[4] == 0x01 && p[5] == 0xf0 && (p[8] == 0x73 || p[8] == 0x77) && p[10] == 0xc3;
}

Gadgets find_gadgets(pid_t pid) {
  Gadgets found;
  std::vector<uint8_t> code;
  for (const Region &r : read_regions(pid, false)) {
    if (!r.execute || !r.read || r.name == "[vsyscall]") continue;
    for (uint64_t at = r.start; at < r.end && !(found.sigreturn && found.returns); at += 1 << 20) {
      size_t n = std::min<uint64_t>(r.end - at, (1 << 20) + 16);
      code.resize(n);
      if (!read_memory(pid, {at}, code.data(), n)) break;
      for (size_t i = 0; i + 9 < n; ++i) {
        const uint8_t *p = code.data() + i;
        if (p[0] == 0x0f && p[1] == 0x05 && !found.returns) {
          bool ret = returns_after(p, n - i);
          if (ret || !found.call) found.call = {at + i}, found.returns = ret;
        }
        if (!found.sigreturn && is_sigreturn(p)) found.sigreturn = {at + i};
      }
    }
    if (found.sigreturn && found.returns) break;
  }
  return found;
}

bool still_there(pid_t pid, const Gadgets &gadgets) {
  uint8_t code[16] = {};
  if (!gadgets.call || !read_memory(pid, gadgets.call, code, 11) || code[0] != 0x0f || code[1] != 0x05 || (gadgets.returns && !returns_after(code, sizeof code))) return false;
  return !gadgets.sigreturn || (read_memory(pid, gadgets.sigreturn, code, 9) && is_sigreturn(code));
}

std::vector<uint8_t> build_frame(const Thread &thread, uint64_t address) {
  std::vector<uint8_t> bytes(kXstateInFrame + thread.xstate.size() + 4);
  auto *frame = reinterpret_cast<Frame *>(bytes.data());
  const user_regs_struct &r = thread.regs;
  Registers &g = frame->context.regs;
  g.r8 = r.r8, g.r9 = r.r9, g.r10 = r.r10, g.r11 = r.r11, g.r12 = r.r12, g.r13 = r.r13, g.r14 = r.r14, g.r15 = r.r15;
  g.di = r.rdi, g.si = r.rsi, g.bp = r.rbp, g.bx = r.rbx, g.dx = r.rdx, g.ax = r.rax, g.cx = r.rcx, g.sp = r.rsp, g.ip = r.rip, g.flags = r.eflags;
  g.cs = uint16_t(r.cs), g.ss = uint16_t(r.ss);
  frame->context.flags = kContextFlags;
  frame->context.mask = thread.mask;
  frame->context.stack.flags = 2;                          // SS_DISABLE: the stub writes the real one
  g.fpstate = address + kXstateInFrame;
  uint8_t *fp = bytes.data() + kXstateInFrame;
  memcpy(fp, thread.xstate.data(), thread.xstate.size());
  // The software-reserved bytes of the legacy area (struct _fpx_sw_bytes, asm/sigcontext.h). ptrace gives the feature mask at their beginning.
  uint64_t features;
  memcpy(&features, fp + 464, 8);
  uint32_t size = uint32_t(thread.xstate.size()), extended = size + 4;
  memset(fp + 464, 0, 48);
  memcpy(fp + 464, &kFpMagic1, 4);
  memcpy(fp + 468, &extended, 4);
  memcpy(fp + 472, &features, 8);
  memcpy(fp + 480, &size, 4);
  memcpy(fp + size, &kFpMagic2, 4);
  return bytes;
}

Chain::Chain(pid_t pid, const Thread &thread, const Gadgets &gadgets, const std::vector<Thread> &threads) : pid_(pid) {
  if (!gadgets.returns || !gadgets.sigreturn) return;
  for (const Region &r : read_regions(pid, false)) {
    if (r.name != "[stack]" || !r.write) continue;
    uint64_t lowest = r.end;
    for (const Thread &t : threads)
      if (t.regs.rsp >= r.start && t.regs.rsp < r.end) lowest = std::min<uint64_t>(lowest, t.regs.rsp);
    uint64_t place = (r.start + 1024) & ~uint64_t(63);
    std::vector<uint8_t> frame = build_frame(thread, place);
    if (place + frame.size() + 8192 > lowest) return;
    memcpy(frame.data(), &gadgets.sigreturn.value, 8);
    before_.resize(frame.size());
    if (!read_memory(pid, {place}, before_.data(), before_.size()) || !write_memory(pid, {place}, frame.data(), frame.size())) return;
    stack_ = place;
    return;
  }
}

Chain::~Chain() {
  if (stack_) write_memory(pid_, {stack_}, before_.data(), before_.size());
}

}  // namespace mosrun
