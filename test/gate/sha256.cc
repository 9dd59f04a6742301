// SHA-256 against FIPS 180-4's examples, HMAC against RFC 4231's cases.
#include "engine/sha256.h"

#include <stdio.h>
#include <string.h>

static int failures;

static void expect(const char *name, const uint8_t (&got)[32], const char *want) {
  char hex[65];
  for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", got[i]);
  if (strcmp(hex, want) == 0) return;
  printf("%s: got %s, want %s\n", name, hex, want);
  failures++;
}

static void expect_hmac(const char *name, const void *key, size_t key_size, const void *data, size_t size, const char *want) {
  uint8_t out[32];
  mosrun::HmacSha256 mac(key, key_size);
  mac.update(data, size / 2);
  mac.update(static_cast<const char *>(data) + size / 2, size - size / 2);
  mac.finish(out);
  expect(name, out, want);
}

int main() {
  uint8_t out[32];
  mosrun::sha256("", 0, out);
  expect("empty", out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  mosrun::sha256("abc", 3, out);
  expect("abc", out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  mosrun::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, out);
  expect("two blocks", out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  mosrun::Sha256 million;
  char as[1000];
  memset(as, 'a', sizeof as);
  for (int i = 0; i < 1000; i++) {
    million.update(as, 997);
    million.update(as, 3);
  }
  million.finish(out);
  expect("a million a", out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");

  uint8_t key[131];
  memset(key, 0x0b, sizeof key);
  expect_hmac("case 1", key, 20, "Hi There", 8, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  expect_hmac("case 2", "Jefe", 4, "what do ya want for nothing?", 28, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  memset(key, 0xaa, sizeof key);
  const char *large = "Test Using Larger Than Block-Size Key - Hash Key First";
  expect_hmac("case 6", key, 131, large, strlen(large), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");

  uint8_t parts[32], whole[32];
  struct { uint32_t a, b; } both = {1, 2};
  mosrun::hmac_sha256(key, 32, parts, both.a, both.b);
  mosrun::hmac_sha256(key, 32, whole, both);
  if (!mosrun::equal_in_constant_time(parts, whole, 32)) printf("parts differ from the whole\n"), failures++;
  whole[31] ^= 1;
  if (mosrun::equal_in_constant_time(parts, whole, 32)) printf("a difference in the last byte is not seen\n"), failures++;
  if (mosrun::sha256_prefix("abc", 3) != 0xeacf018fbf1678ba) printf("prefix is not the first eight bytes\n"), failures++;
  if (failures == 0) printf("ok\n");
  return failures != 0;
}
