// Lists of mappings as the kernel writes them, with names that a program chooses (native/stub/memory.cc, native/engine/proc.cc).
#include "libc.h"

#include "engine/proc.h"

using namespace mosrun;
using namespace mosrun::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  begin(data + 1, size - 1);
  std::vector<Region> regions = read_regions(1, data[0] & 1);
  for (const Region &region : regions) require(region.name.find('\n') == std::string::npos, "a name goes over its line");
  begin(data + 1, size - 1);
  ProcessStat stat;
  read_stat(1, stat);
  model::libc.active = false;
  return 0;
}

std::vector<std::string> seeds() {
  return {std::string(1, 0) + "55d0c0000000-55d0c0001000 r-xp 00001000 08:01 1234                       /usr/bin/a name\n7ffd0-7ffd1 rw-s 0 00:00 0 [stack]\n",
          std::string(1, 1) + "55d0c0000000-55d0c0001000 r-xp 00001000 08:01 1234   /usr/bin/x (deleted)\nSize: 4 kB\nVmFlags: rd ex mr\n",
          std::string(1, 0) + "77 (a ) b) S 1 77 77 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 12345 1 2 3 4 5 6 7 8 9 10 11 12\n"};
}
