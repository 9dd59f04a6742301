// Is a page here what a page there is? By a hash of it whose key the asking side draws anew: NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: UMAC, CRYPTO '99)
// over 64-bit words, twice, with keys that are shifted by two words (Toeplitz). Two pages that differ have the same with a probability of 2^-128, whatever is
// in them, as long as that was settled before the key.
#pragma once
#include <stdint.h>

namespace mosrun {

constexpr unsigned kPageWords = 512;
struct PageKey { uint64_t words[kPageWords + 2]; };
struct PageHash {
  uint64_t words[4];
  bool operator==(const PageHash &other) const {
    return !((words[0] ^ other.words[0]) | (words[1] ^ other.words[1]) | (words[2] ^ other.words[2]) | (words[3] ^ other.words[3]));
  }
};

inline PageHash hash_page(const void *page, const PageKey &key) {
  using Sum = unsigned __int128;
  const auto *at = static_cast<const uint64_t *>(page);
  Sum one = 0, two = 0;
  for (unsigned i = 0; i < kPageWords; i += 2) {
    one += Sum(at[i] + key.words[i]) * (at[i + 1] + key.words[i + 1]);
    two += Sum(at[i] + key.words[i + 2]) * (at[i + 1] + key.words[i + 3]);
  }
  return {{uint64_t(one), uint64_t(one >> 64), uint64_t(two), uint64_t(two >> 64)}};
}

}  // namespace mosrun
