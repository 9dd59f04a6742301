// What the programs outside the stub ask of the kernel, answered from the fuzzer's input: the linker sends their calls here (--wrap).
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <string>
#include <vector>

namespace mosrun::model {

constexpr int kFirst = 500;            // descriptors that are the model's own

struct Libc {
  const uint8_t *input = nullptr;
  size_t left = 0;
  bool active = false;                 // else the calls are the fuzzer's own
  bool quiet = false;                  // standard output and error are the model's too
  bool blocks = false;                 // at the end of the input: EAGAIN, else an end of file
  uint8_t portion = 0;                 // the most a read brings; 0: all
  int next = kFirst;
  unsigned opened = 0, closed = 0, descriptors_sent = 0;
  std::vector<int> killed;
  std::string sent;
};
extern Libc libc;

[[noreturn]] inline void violation(const char *what, long a = 0) {
  fprintf(stderr, "VIOLATION: %s (%ld)\n", what, a);
  abort();
}
inline void require(bool holds, const char *what, long a = 0) {
  if (!holds) violation(what, a);
}
inline void begin(const uint8_t *data, size_t size) {
  libc = {};
  libc.input = data;
  libc.left = size;
  libc.active = true;
}
inline uint8_t take_byte() { return libc.left ? (--libc.left, *libc.input++) : 0; }

}  // namespace mosrun::model

std::vector<std::string> seeds();
