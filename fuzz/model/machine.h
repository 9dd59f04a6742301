// The machine that the fuzzers run the stub on, in place of native/stub/machine/machine.h: its kernel is a model that checks what it is asked.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mosrun {

namespace model {
int64_t system_call(int64_t nr, const uint64_t (&args)[6]);
uint64_t current_slot();
}  // namespace model

inline int64_t sys(int64_t nr, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0, uint64_t e = 0, uint64_t f = 0) {
  return model::system_call(nr, {a, b, c, d, e, f});
}

// Library functions, so that the sanitizers see every byte. memmove: the stub moves text down in place.
inline void copy(void *to, const void *from, uint64_t n) {
  if (n) __builtin_memmove(to, from, n);
}
inline void zero(void *to, uint64_t n) {
  if (n) __builtin_memset(to, 0, n);
}

// The sanitizers keep no shadow for what lies below 16 TiB, and the program's own memory is higher.
constexpr uint64_t kModelBase = 0x200000000000;
inline uint64_t base() { return kModelBase; }
inline uint64_t in_own_slot() { return model::current_slot(); }

}  // namespace mosrun
