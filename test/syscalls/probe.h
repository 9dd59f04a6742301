// Holds the kernel to the table: each sample is one call, whose buffers lie right before an unreadable page and are as long
// as the table says. It must succeed; with a buffer one byte shorter it must be EFAULT; an `out` buffer must be filled
// wholly. So a descriptor that is too long, too short, or `out` in place of `inout` is found by the kernel itself.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace probe {

/** What a sample fills in: the arguments, and for those that are buffers what is in them before. */
struct Call {
  uint64_t value[6] = {};
  std::string content[6];
  bool buffer[6] = {};

  Call &set(int i, uint64_t v) {
    value[i] = v;
    return *this;
  }
  /** A buffer with the table's length; `text` is its beginning, zeros follow. */
  Call &memory(int i, std::string text = {}) {
    buffer[i] = true;
    content[i] = std::move(text);
    return *this;
  }
  template <typename T> Call &structure(int i, const T &t) {
    return memory(i, std::string(reinterpret_cast<const char *>(&t), sizeof t));
  }
};

struct Options {
  /** Buffers (a bit for each argument) of which the kernel uses less than the structure has. */
  unsigned loose = 0;
};

/** Runs the sample, some times over, in processes of its own. */
void sample(unsigned nr, const char *what, const std::function<Call()> &make, Options options = {});
/** The number of samples that failed; prints them. */
int report();

} // namespace probe
