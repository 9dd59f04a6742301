// Where the stub meets the machine: the kernel, the string instructions, and where it lies. The fuzzers run the stub on another machine
// (fuzz/model/machine.h), which checks all that is asked of it.
#pragma once
#include <stdint.h>

namespace mosrun {

inline int64_t sys(int64_t nr, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0, uint64_t e = 0, uint64_t f = 0) {
  int64_t result;
  register uint64_t r10 asm("r10") = d;
  register uint64_t r8 asm("r8") = e;
  register uint64_t r9 asm("r9") = f;
  asm volatile("syscall" : "=a"(result) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}

inline void copy(void *to, const void *from, uint64_t n) { asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory"); }
inline void zero(void *to, uint64_t n) { asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(0) : "memory"); }

extern "C" __attribute__((visibility("hidden"))) const char blob_start[];
inline uint64_t base() { return reinterpret_cast<uint64_t>(blob_start); }
// Every stub function runs on its slot's stack.
inline uint64_t in_own_slot() { return reinterpret_cast<uint64_t>(__builtin_frame_address(0)); }

}  // namespace mosrun
