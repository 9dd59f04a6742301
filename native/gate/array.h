// A growing array of plain values. The programs are linked without the C++ library.
#pragma once
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

namespace mosrun {

template <class T>
struct Array {
  T *items = nullptr;
  size_t count = 0, room = 0;

  Array() = default;
  Array(const Array &) = delete;
  Array &operator=(const Array &) = delete;
  ~Array() { free(items); }

  bool add(const T &item) {
    if (count == room) {
      size_t wanted = room ? room * 2 : 16;
      void *larger = realloc(items, wanted * sizeof(T));
      if (!larger) return false;
      items = static_cast<T *>(larger);
      room = wanted;
    }
    items[count++] = item;
    return true;
  }
  void remove(size_t index) {   // keeps the order
    memmove(items + index, items + index + 1, (count - index - 1) * sizeof(T));
    count--;
  }
  void clear() { count = 0; }
  T &operator[](size_t index) { return items[index]; }
  T *begin() { return items; }
  T *end() { return items + count; }
};

}  // namespace mosrun
