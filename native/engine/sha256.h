// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), for programs with a C library and for the stub without one.
//
// Freestanding and header-only: no C library, no pointers in data (the stub's blob carries no relocations), integer registers only.
// The compiler may still emit calls of memcpy and memset, as it may in any freestanding program.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace mosrun {

constexpr size_t kSha256Size = 32;
constexpr size_t kSha256Block = 64;

struct Sha256 {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint64_t length = 0;   // bytes taken
  uint8_t block[kSha256Block];

  void update(const void *data, size_t size) {
    const uint8_t *bytes = static_cast<const uint8_t *>(data);
    size_t used = length % kSha256Block;
    length += size;
    while (size > 0) {
      if (used == 0 && size >= kSha256Block) {
        compress(bytes);
        bytes += kSha256Block;
        size -= kSha256Block;
        continue;
      }
      block[used++] = *bytes++;
      size--;
      if (used == kSha256Block) {
        compress(block);
        used = 0;
      }
    }
  }

  void finish(uint8_t out[kSha256Size]) {
    uint64_t bits = length * 8;
    uint8_t mark = 0x80, zero = 0, size[8];
    for (int i = 0; i < 8; i++) size[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
    update(&mark, 1);
    while (length % kSha256Block != kSha256Block - 8) update(&zero, 1);
    update(size, 8);
    for (int i = 0; i < 32; i++) out[i] = static_cast<uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  }

 private:
  static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

  void compress(const uint8_t *in) {
    static constexpr uint32_t k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
        0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
        0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
        0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
        0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
        0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    uint32_t w[64];
    for (int i = 0; i < 16; i++)
      w[i] = static_cast<uint32_t>(in[4 * i]) << 24 | static_cast<uint32_t>(in[4 * i + 1]) << 16 | static_cast<uint32_t>(in[4 * i + 2]) << 8 | in[4 * i + 3];
    for (int i = 16; i < 64; i++) {
      uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
      uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i++) {
      uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
      uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
};

// Several parts may be added in turn.
struct HmacSha256 {
  Sha256 inner;
  uint8_t outer_key[kSha256Block];

  HmacSha256(const void *key, size_t size) {
    uint8_t padded[kSha256Block] = {};
    if (size > kSha256Block) {
      Sha256 hash;
      hash.update(key, size);
      hash.finish(padded);
    } else {
      for (size_t i = 0; i < size; i++) padded[i] = static_cast<const uint8_t *>(key)[i];
    }
    for (size_t i = 0; i < kSha256Block; i++) {
      outer_key[i] = padded[i] ^ 0x5c;
      padded[i] ^= 0x36;
    }
    inner.update(padded, kSha256Block);
  }
  void update(const void *data, size_t size) { inner.update(data, size); }
  void finish(uint8_t out[kSha256Size]) {
    inner.finish(out);
    Sha256 outer;
    outer.update(outer_key, kSha256Block);
    outer.update(out, kSha256Size);
    outer.finish(out);
  }
};

// MAC over the bytes of `parts`, one after another: hmac_sha256(token, 32, mac, hello, challenge, begin).
template <class... Parts>
inline void hmac_sha256(const void *key, size_t size, uint8_t (&out)[kSha256Size], const Parts &...parts) {
  HmacSha256 mac(key, size);
  (mac.update(&parts, sizeof(parts)), ...);
  mac.finish(out);
}

inline void sha256(const void *data, size_t size, uint8_t (&out)[kSha256Size]) {
  Sha256 hash;
  hash.update(data, size);
  hash.finish(out);
}

// What Begin.blob_hash holds: the first 8 bytes of the hash, little-endian.
inline uint64_t sha256_prefix(const void *data, size_t size) {
  uint8_t hash[kSha256Size];
  sha256(data, size, hash);
  uint64_t prefix = 0;
  for (int i = 7; i >= 0; i--) prefix = prefix << 8 | hash[i];
  return prefix;
}

// Takes the same time wherever the first difference is.
inline bool equal_in_constant_time(const void *a, const void *b, size_t size) {
  const volatile uint8_t *x = static_cast<const volatile uint8_t *>(a), *y = static_cast<const volatile uint8_t *>(b);
  uint8_t difference = 0;
  for (size_t i = 0; i < size; i++) difference = static_cast<uint8_t>(difference | (x[i] ^ y[i]));
  return difference == 0;
}

}  // namespace mosrun
