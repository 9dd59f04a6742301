// A line for the program's user, put together without a library.
#pragma once
#include "sys.h"

namespace mosrun {

struct Text {
  char bytes[256];
  u64 length = 0;

  void put(const char *s) {
    while (*s && length < sizeof bytes) bytes[length++] = *s++;
  }
  void put(u32 number) {
    char digits[12];
    u32 d = 0;
    do digits[d++] = char('0' + number % 10);
    while (number /= 10);
    while (d && length < sizeof bytes) bytes[length++] = digits[--d];
  }
};

}  // namespace mosrun
