// What a program can learn of the processor, and may have built on (a library that dispatched, a JIT that compiled): the feature bits
// of CPUID that user code can use, and the XSAVE layout in which its registers travel. Two nodes with equal values are interchangeable.
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>

#include <string>

#include "addon.h"

namespace mosrun::addon {
namespace {

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers Cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __cpuid_count(leaf, subleaf, r.a, r.b, r.c, r.d);
  return r;
}

constexpr uint32_t Bits(auto... number) { return ((1u << number) | ...); }
constexpr uint32_t AllBut(auto... number) { return ~Bits(number...); }

/// One CPUID leaf and which of its bits count. Left out: what only a kernel can use (virtualisation, power, mitigations, APIC), and what
/// differs between the processors of one machine. Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
struct Leaf {
  uint32_t leaf, subleaf;
  Registers mask;
};
constexpr Leaf kLeaves[] = {
    // MONITOR, VMX, SMX, EIST, TM2, SDBG, xTPR, PDCM, PCID, DCA, x2APIC, TSC deadline and "under a hypervisor" are the kernel's;
    // 2 and 4 are debug store.
    {0x1, 0, {0, 0, AllBut(2, 3, 4, 5, 6, 7, 8, 11, 14, 15, 17, 18, 21, 24, 31), Bits(0, 4, 8, 15, 19, 23, 24, 25, 26)}},
    // ebx: TSC_ADJUST, SMEP, RDT, SMAP, deprecated FPU bits are the kernel's; ecx: UMIP, LA57, SGX launch control, PKS;
    // edx: only instructions, no mitigations.
    {0x7, 0, {0, AllBut(1, 2, 6, 7, 10, 12, 13, 15, 20), AllBut(2, 16, 30, 31), Bits(2, 3, 4, 5, 8, 14, 16, 20, 22, 23, 24, 25)}},
    {0x7, 1, {AllBut(17, 19, 20, 22, 26), 0, 0, ~0u}},
    {0xd, 1, {~0u, 0, 0, 0}},
    // LAHF, LZCNT, SSE4A, misaligned SSE, prefetch, XOP, FMA4, TBM, MONITORX; MMXEXT, RDTSCP, long mode, 3DNow.
    {0x80000001, 0, {0, 0, Bits(0, 5, 6, 7, 8, 11, 16, 21, 29), Bits(22, 27, 29, 30, 31)}},
    {0x80000008, 0, {0, Bits(0, 2, 4, 9), 0, 0}},  // CLZERO, RSTR_FP_ERR_PTRS, RDPRU, WBNOINVD
};

uint64_t Xcr0() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

void Append(std::string &text, const char *format, auto... values) {
  char piece[128];
  snprintf(piece, sizeof piece, format, values...);
  text += piece;
}

/// FNV-1a: names a configuration; nobody gains by making two collide, since a wrong one only hurts its own processes.
uint64_t Hash(const std::string &text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

}  // namespace

Napi::Value CpuFeatures(const Napi::CallbackInfo &info) {
  std::string text;
  const uint32_t highest = Cpuid(0, 0).a, highest_extended = Cpuid(0x80000000u, 0).a;
  for (const Leaf &leaf : kLeaves) {
    if (leaf.leaf > (leaf.leaf >= 0x80000000u ? highest_extended : highest)) continue;
    const Registers r = Cpuid(leaf.leaf, leaf.subleaf);
    Append(text, "%x.%x=%08x,%08x,%08x,%08x ", leaf.leaf, leaf.subleaf, r.a & leaf.mask.a, r.b & leaf.mask.b, r.c & leaf.mask.c,
           r.d & leaf.mask.d);
  }
  uint64_t xcr0 = 0;
  uint32_t xsave_bytes = 512;
  constexpr uint32_t kOsxsave = 1u << 27;  // leaf 1 ecx: xgetbv may be used
  if ((Cpuid(1, 0).c & kOsxsave) && highest >= 0xd) {
    xcr0 = Xcr0();
    xsave_bytes = Cpuid(0xd, 0).b;
    Append(text, "xcr0=%llx size=%x ", static_cast<unsigned long long>(xcr0), xsave_bytes);
    for (uint32_t component = 2; component < 63; component++) {
      if (!(xcr0 >> component & 1)) continue;
      const Registers r = Cpuid(0xd, component);
      Append(text, "x%u=%x@%x ", component, r.a, r.b);
    }
  }
  Napi::Object result = Napi::Object::New(info.Env());
  char number[32];
  snprintf(number, sizeof number, "%016llx", static_cast<unsigned long long>(Hash(text)));
  result.Set("hash", number);
  snprintf(number, sizeof number, "0x%llx", static_cast<unsigned long long>(xcr0));
  result.Set("xcr0", number);
  result.Set("xsaveBytes", xsave_bytes);
  result.Set("registers", text.substr(0, text.empty() ? 0 : text.size() - 1));
  return result;
}

}  // namespace mosrun::addon
