// The LZ4 block format (doc/lz4_Block_format.md of the LZ4 project), for code that has no library: the stub. Pieces of at most 64 KiB, so that a place
// in one fits 16 bits. Neither side trusts what it reads: `unpack` stays within both buffers whatever comes, `pack` within `room`.
#pragma once
#include <stdint.h>

namespace mosrun::lz4 {

constexpr uint32_t kPieceMax = 64 << 10;
constexpr unsigned kHashBits = 12;
using Table = uint16_t[1 << kHashBits];

namespace detail {
constexpr uint32_t kMinMatch = 4, kLastLiterals = 5, kMatchFree = 12;   // of the format: a block ends with literals, and no match begins near its end

template <class T> inline T load(const uint8_t *at) {
  T value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}
inline void copy8(uint8_t *to, const uint8_t *from) { __builtin_memcpy(to, from, 8); }
inline uint32_t hash(const uint8_t *at) { return (load<uint32_t>(at) * 2654435761u) >> (32 - kHashBits); }

// Bytes that are equal from both places on, up to `end` of the second.
inline uint32_t equal(const uint8_t *one, const uint8_t *two, const uint8_t *end) {
  const uint8_t *begin = two;
  while (end - two >= 8) {
    if (const uint64_t differ = load<uint64_t>(one) ^ load<uint64_t>(two)) return uint32_t(two - begin) + uint32_t(__builtin_ctzll(differ) >> 3);
    one += 8;
    two += 8;
  }
  while (two < end && *one == *two) ++one, ++two;
  return uint32_t(two - begin);
}

inline uint8_t *put_length(uint8_t *to, uint32_t length) {
  for (; length >= 255; length -= 255) *to++ = 255;
  *to++ = uint8_t(length);
  return to;
}
// The most that a sequence takes: token, literals and their length, offset, match length.
constexpr uint32_t sequence_max(uint32_t literals, uint32_t match) { return 1 + literals / 255 + 1 + literals + 2 + match / 255 + 1; }

inline void copy_literals(uint8_t *to, const uint8_t *from, uint32_t n, bool roomy) {
  if (roomy) {
    for (uint32_t i = 0; i < n; i += 8) copy8(to + i, from + i);
    return;
  }
  for (uint32_t i = 0; i < n; ++i) to[i] = from[i];
}
}  // namespace detail

// `size` bytes (at most kPieceMax) as at most `room`, and how many; 0: they do not fit, or nothing is gained by it.
inline uint32_t pack(const uint8_t *in, uint32_t size, uint8_t *out, uint32_t room, Table &table) {
  using namespace detail;
  for (auto &place : table) place = 0;
  const uint8_t *const end = in + size, *const last_match = size > kMatchFree ? end - kMatchFree : in;
  uint8_t *to = out, *const to_end = out + room;
  const uint8_t *at = in, *literals = in;
  auto emit = [&](uint32_t offset, uint32_t match) {
    const uint32_t n = uint32_t(at - literals), more = match - kMinMatch;
    if (uint64_t(to_end - to) < sequence_max(n, match)) return false;
    uint8_t *token = to++;
    *token = uint8_t((n < 15 ? n : 15) << 4 | (more < 15 ? more : 15));
    if (n >= 15) to = put_length(to, n - 15);
    copy_literals(to, literals, n, uint64_t(to_end - to) >= n + 8u && uint64_t(end - literals) >= n + 8u);
    to += n;
    *to++ = uint8_t(offset);
    *to++ = uint8_t(offset >> 8);
    if (more >= 15) to = put_length(to, more - 15);
    return true;
  };
  // The longer nothing is found, the wider the steps.
  for (uint32_t tries = 1 << 6; at < last_match;) {
    uint16_t &place = table[hash(at)];
    const uint8_t *before = in + place;
    place = uint16_t(at - in);
    if (before >= at || load<uint32_t>(before) != load<uint32_t>(at)) {
      at += tries++ >> 6;
      continue;
    }
    while (at > literals && before > in && at[-1] == before[-1]) --at, --before;
    const uint32_t match = kMinMatch + equal(before + kMinMatch, at + kMinMatch, end - kLastLiterals);
    if (!emit(uint32_t(at - before), match)) return 0;
    at += match;
    literals = at;
    if (at < last_match) table[hash(at - 2)] = uint16_t(at - 2 - in);
    tries = 1 << 6;
  }
  const uint32_t n = uint32_t(end - literals);
  if (uint64_t(to_end - to) < sequence_max(n, 0)) return 0;
  *to++ = uint8_t((n < 15 ? n : 15) << 4);
  if (n >= 15) to = put_length(to, n - 15);
  copy_literals(to, literals, n, false);
  return uint32_t(to + n - out);
}

// Whether they are exactly `size` bytes, which are then in `out`.
inline bool unpack(const uint8_t *in, uint32_t packed, uint8_t *out, uint32_t size) {
  using namespace detail;
  const uint8_t *const in_end = in + packed;
  uint8_t *to = out, *const to_end = out + size;
  auto length = [&](uint32_t &n) {
    for (uint8_t more = 255; more == 255; n += more) {
      if (in == in_end || n > kPieceMax) return false;
      more = *in++;
    }
    return true;
  };
  while (in < in_end) {
    const uint8_t token = *in++;
    uint32_t n = token >> 4;
    if (n == 15 && !length(n)) return false;
    if (n > uint64_t(in_end - in) || n > uint64_t(to_end - to)) return false;
    copy_literals(to, in, n, uint64_t(in_end - in) >= n + 8u && uint64_t(to_end - to) >= n + 8u);
    in += n;
    to += n;
    if (in == in_end) return to == to_end;
    if (in_end - in < 2) return false;
    const uint32_t offset = load<uint16_t>(in);
    in += 2;
    if (!offset || offset > uint64_t(to - out)) return false;
    uint32_t match = token & 15;
    if (match == 15 && !length(match)) return false;
    match += kMinMatch;
    if (match > uint64_t(to_end - to)) return false;
    const uint8_t *from = to - offset;
    if (offset >= 8 && uint64_t(to_end - to) >= match + 8u) {
      for (uint32_t i = 0; i < match; i += 8) copy8(to + i, from + i);
      to += match;
    } else {
      for (uint8_t *const until = to + match; to < until;) *to++ = *from++;
    }
  }
  return false;
}

}  // namespace mosrun::lz4
