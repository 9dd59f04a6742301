// Blocks of LZ4 as they come from another machine, and memory that is packed for one (native/engine/lz4.h); beside it the library, by the same format.
#include <lz4.h>

#include <string.h>

#include <memory>
#include <string>

#include "engine/lz4.h"
#include "libc.h"

using namespace mosrun;
using model::require;

namespace {

using Bytes = std::unique_ptr<uint8_t[]>;   // of the very size: a byte beyond is found

Bytes copy_of(const uint8_t *data, size_t size) {
  Bytes copy(new uint8_t[size]);
  if (size) memcpy(copy.get(), data, size);
  return copy;
}

bool unpacks_to(const Bytes &packed, uint32_t n, const uint8_t *data, uint32_t size) {
  Bytes out(new uint8_t[size]);
  return lz4::unpack(packed.get(), n, out.get(), size) && !memcmp(out.get(), data, size);
}

void check_both_ways(const uint8_t *data, uint32_t size) {
  static lz4::Table table;
  const Bytes plain = copy_of(data, size);
  const int most = LZ4_compressBound(int(size));
  Bytes room(new uint8_t[size_t(most)]);
  const uint32_t ours = lz4::pack(plain.get(), size, room.get(), uint32_t(most), table);
  require(ours > 0, "what has room enough is not packed");
  const Bytes packed = copy_of(room.get(), ours);
  require(unpacks_to(packed, ours, data, size), "what was packed is not what was unpacked");
  Bytes out(new uint8_t[size]);
  require(LZ4_decompress_safe(reinterpret_cast<char *>(packed.get()), reinterpret_cast<char *>(out.get()), int(ours), int(size)) == int(size) && !memcmp(out.get(), data, size), "the library reads it otherwise");
  const int theirs = LZ4_compress_default(reinterpret_cast<const char *>(plain.get()), reinterpret_cast<char *>(room.get()), int(size), most);
  require(unpacks_to(copy_of(room.get(), size_t(theirs)), uint32_t(theirs), data, size), "what the library packed is read otherwise");
  for (uint32_t less : {ours - 1, ours / 2, 1u}) {
    Bytes little(new uint8_t[less ? less : 1]);
    require(lz4::pack(plain.get(), size, little.get(), less, table) <= less, "more is said to be packed than there is room for");
  }
}

void check_garbage(const uint8_t *data, uint32_t size, uint32_t wanted) {
  const Bytes in = copy_of(data, size);
  Bytes ours(new uint8_t[wanted]()), theirs(new uint8_t[wanted]());
  const bool good = lz4::unpack(in.get(), size, ours.get(), wanted);
  const int n = LZ4_decompress_safe(reinterpret_cast<char *>(in.get()), reinterpret_cast<char *>(theirs.get()), int(size), int(wanted));
  if (good && n == int(wanted)) require(!memcmp(ours.get(), theirs.get(), wanted), "the library makes something else of it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4 || size > lz4::kPieceMax) return 0;
  if (data[0] & 1) check_both_ways(data + 3, uint32_t(size - 3));
  else check_garbage(data + 3, uint32_t(size - 3), 1 + data[1] + 256u * data[2]);
  return 0;
}

std::vector<std::string> seeds() {
  std::string text = "to be or not to be, that is the question whether to be or not to be ";
  while (text.size() < 3000) text += text + char('a' + text.size() % 26);
  std::string packed(3000, 0);
  packed.resize(size_t(LZ4_compress_default(text.data(), packed.data(), 2000, 3000)));
  return {"\1\0\0" + text, std::string("\0\xcf\7", 3) + packed, std::string("\1\0\0", 3) + std::string(2000, 'z'), std::string("\0\3\0", 3) + std::string("\x40" "abcd", 5)};
}
