// What a test and the stand-in guest say to each other.
#pragma once
#include <stdint.h>

enum class GuestWhat : uint32_t { inside, outside, describe };
struct GuestCall {
  GuestWhat what;
  uint32_t take, give;      // bytes to put into the buffer, bytes to return from it, after the call
  uint32_t pad;
  uint64_t call[7];
};
struct GuestAnswer {
  int64_t result;
  int32_t event, pool, maps, pagemap, uffd;
};
constexpr int64_t kTrapped = -9999;
constexpr uint32_t kFiltered = 1;   // as the fault of Begin: with the filter
