// PAGEMAP_SCAN (ioctl_pagemap_scan(2), Linux 6.7); Debian 12's headers do not have it.
#pragma once
#include <stdint.h>

namespace mosrun {

constexpr uint64_t kPagemapScan = 0xc0606610;
enum : uint64_t { page_is_written = 2, page_is_file = 4, page_is_present = 8, page_is_swapped = 16, page_is_zero = 32 };
constexpr uint64_t kProtectMatching = 1, kCheckProtection = 2;   // the second: fails where a mapping is not watched (userfaultfd(2))

struct PageRegion { uint64_t start, end, categories; };
struct PageScan { uint64_t size, flags, start, end, walk_end, vec, vec_length, max_pages, inverted, mask, anyof, returned; };

}  // namespace mosrun
