// The list of mappings that the stub reads, with names that a program chooses (native/stub/memory.cc).
#include "model.h"

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!begin(Side::home, data, size)) return 0;
  set_up_slot(0, 77, kChannel);
  world.maps.assign(reinterpret_cast<const char *>(world.input), world.left);
  if (world.maps.empty()) return 0;
  constexpr u64 kMax = 16;
  auto *list = pointer<Mapping>(base() + kListOffset);
  list[kMax] = {};
  u64 count = 0;
  run([&] { count = read_mappings(kMaps, list, kMax); });
  require(count <= kMax && !list[kMax].end, "the list is longer than its room", count);
  for (u64 i = 0; i < count; ++i) require(list[i].start - base() >= kRegionSize && list[i].kind <= Kind::other && list[i].prot < 8, "an entry that cannot be", i);
  return 0;
}

std::vector<std::string> seeds() {
  std::string text(sizeof(Manner), 0), line = "55d0c0000000-55d0c0001000 r-xp 00001000 08:01 1234                       /usr/bin/a name\n7ffd00000000-7ffd00021000 rw-p 0 00:00 0 [stack]\n";
  return {text + line, text + "200000000000-200000200000 r-xp 0 00:00 0\n" + line + line + "7ffd0-7ffd1 rw-s 0 00:01 7 /dev/zero (deleted)\n"};
}
