// The filter against the table: every number, inside and outside of the stub, with arguments on both sides of every condition.
#include "gate/filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include <initializer_list>

#include "gate/stub-calls.h"
#include "generated/syscalls.h"
#include "stub/layout.h"

using namespace mosrun;

static sock_filter code[BPF_MAXINSNS];
static unsigned length, steps;

// The part of classic BPF that seccomp knows and the filter uses (Documentation/userspace-api/seccomp_filter.rst).
static uint32_t run(const seccomp_data &data) {
  uint32_t a = 0;
  for (unsigned at = 0; at < length; at++) {
    steps++;
    const sock_filter &i = code[at];
    switch (i.code) {
      case BPF_LD | BPF_W | BPF_ABS: memcpy(&a, reinterpret_cast<const char *>(&data) + i.k, 4); break;
      case BPF_ALU | BPF_AND | BPF_K: a &= i.k; break;
      case BPF_JMP | BPF_JA: at += i.k; break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += a == i.k ? i.jt : i.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += a >= i.k ? i.jt : i.jf; break;
      case BPF_RET | BPF_K: return i.k;
      default: printf("instruction %u is unknown: %x\n", at, i.code); return 0;
    }
  }
  printf("ran off the end\n");
  return 0;
}

template <unsigned N>
static bool holds(const Condition (&all)[N], const seccomp_data &data) {
  for (unsigned i = 0; i < N;) {
    unsigned group = i;
    bool every = true;
    for (; i < N && all[i].nr == all[group].nr && all[i].group == all[group].group; i++) {
      uint32_t word = static_cast<uint32_t>(data.args[all[i].arg] >> (all[i].high ? 32 : 0));
      if ((word & all[i].mask) != all[i].value) every = false;
    }
    if (all[group].nr == static_cast<unsigned>(data.nr) && every) return true;
  }
  return false;
}

static uint32_t expected(const seccomp_data &data, uint64_t base) {
  if (data.arch != AUDIT_ARCH_X86_64 || static_cast<unsigned>(data.nr) >= syscalls::count) return SECCOMP_RET_TRAP;
  if (syscalls::calls[data.nr].place == syscalls::Place::native || holds(syscalls::native_if, data)) return SECCOMP_RET_ALLOW;
  bool inside = data.instruction_pointer >= base && data.instruction_pointer < base + kCodeSize;
  return inside && holds(stub_calls, data) ? SECCOMP_RET_ALLOW : SECCOMP_RET_TRAP;
}

static int failures;
static unsigned long checks;

static void check(const seccomp_data &data, uint64_t base) {
  uint32_t want = expected(data, base), got = run(data);
  checks++;
  if (want == got || failures++ > 20) return;
  printf("number %d arch %x ip %llx args %llx %llx %llx %llx: %x, not %x\n", data.nr, data.arch, data.instruction_pointer, data.args[0], data.args[1],
         data.args[2], data.args[3], got, want);
}

// Every value a condition of this number speaks of, alone and with each bit of its mask turned.
template <unsigned N>
static void around(const Condition (&all)[N], seccomp_data data, uint64_t base) {
  for (unsigned i = 0; i < N; i++) {
    if (all[i].nr != static_cast<unsigned>(data.nr)) continue;
    seccomp_data one = data;
    for (unsigned j = 0; j < N; j++) {
      if (all[j].nr != all[i].nr || all[j].group != all[i].group) continue;
      uint64_t keep = all[j].high ? 0xffffffff : 0xffffffff00000000;
      one.args[all[j].arg] = (one.args[all[j].arg] & keep) | static_cast<uint64_t>(all[j].value) << (all[j].high ? 32 : 0);
    }
    check(one, base);
    for (int bit = 0; bit < 64; bit++) {
      seccomp_data turned = one;
      turned.args[all[i].arg] ^= 1ull << bit;
      check(turned, base);
    }
  }
}

int main() {
  for (uint64_t base : {uint64_t{0x300000000000}, uint64_t{0x10000000}, uint64_t{0x7ffe12300000}}) {
    length = build_filter(base, code, sizeof code / sizeof *code);
    if (length == 0 || length > BPF_MAXINSNS) {
      printf("length %u\n", length);
      return 1;
    }
    const uint64_t pointers[] = {base,          base + 2,         base + kCodeSize - 1, base + kCodeSize, base - 1, base + (1ull << 32), base - (1ull << 32),
                                 0x555555555000, 0x7ffff7d00000, 0,                    ~0ull};
    const uint64_t patterns[] = {0, 1, 2, 0x22, ~0ull, 0xfffffffffffffc18, 0x10000000, 0x0000000100000000};
    for (int nr = -2; nr < static_cast<int>(syscalls::count) + 20; nr++) {
      for (uint64_t pointer : pointers) {
        for (uint64_t pattern : patterns) {
          seccomp_data data{nr, AUDIT_ARCH_X86_64, pointer, {pattern, pattern, pattern, pattern, pattern, pattern}};
          check(data, base);
          if (pattern == 0 || pattern == ~0ull) {
            around(syscalls::native_if, data, base);
            around(stub_calls, data, base);
          }
        }
      }
      for (uint32_t arch : {uint32_t{AUDIT_ARCH_I386}, uint32_t{0}, uint32_t{0xc00000b7}}) check({nr, arch, base, {}}, base);
      check({nr | 0x40000000, AUDIT_ARCH_X86_64, base, {}}, base);
    }
  }
  if (build_filter(0x10000000, code, 100) != 0) printf("a filter that does not fit is not refused\n"), failures++;
  printf("%u instructions, %lu decisions, %.1f steps each\n", length, checks, static_cast<double>(steps) / static_cast<double>(checks));
  return failures != 0;
}
