// PAGEMAP_SCAN (ioctl_pagemap_scan(2), Linux 6.7); Debian 12's headers do not have it.
#pragma once
#include <stdint.h>

namespace mosrun {

constexpr uint64_t kPagemapScan = 0xc0606610;
enum : uint64_t { page_is_written = 2, page_is_file = 4, page_is_present = 8, page_is_swapped = 16, page_is_zero = 32, page_is_guard = 256 };   // the last: Linux 6.15
constexpr uint64_t kProtectMatching = 1, kCheckProtection = 2;   // the second: fails where a mapping is not watched (userfaultfd(2))

struct PageRegion { uint64_t start, end, categories; };
struct PageScan { uint64_t size, flags, start, end, walk_end, vec, vec_length, max_pages, inverted, mask, anyof, returned; };

// Pages that are there, without those of the `excluded` kinds; and guards (MADV_GUARD_INSTALL), which are told as swapped, and apart as what they are.
inline PageScan scan_present(uint64_t start, uint64_t end, PageRegion *found, uint64_t most, uint64_t excluded, uint64_t flags) {
  constexpr uint64_t there = page_is_present | page_is_swapped;
  return {sizeof(PageScan), flags, start, end, 0, reinterpret_cast<uint64_t>(found), most, 0, excluded, excluded, there, there | page_is_guard};
}
// Where the kernel knows no such pages, or does not tell them apart.
inline void without_guards(PageScan &scan) {
  scan.mask &= ~page_is_guard;
  scan.inverted &= ~page_is_guard;
  scan.returned &= ~page_is_guard;
}
// Pages that are not protected any more, or are not there. To ask for nothing but that is what the kernel has a short way for.
inline PageScan scan_changed(uint64_t start, uint64_t end, PageRegion *found, uint64_t most) {
  return {sizeof(PageScan), kCheckProtection, start, end, 0, reinterpret_cast<uint64_t>(found), most, 0, 0, page_is_written, 0, page_is_written};
}

}  // namespace mosrun
