#include "book.h"

namespace mosrun {

// What was left, and has come since, may be on its way once more.
Change::Change(u64 start, u64 end) : is_(control().has_left || find_in_book(start, end, is_of_file)) {
  Control &c = control();
  if (!is_) return;
  c.changes[c.mappings_changed / 2 % kChangesKnown] = {start, end};
  add(&c.mappings_changed, 1);
}

bool forget_mappings(u64 start, u64 end) {
  Control &c = control();
  u64 n = c.book_entries;
  for (u64 i = 0; i < n; ++i) {
    Mapping &m = book()[i];
    if (m.start >= end || m.end <= start) continue;
    if (m.start < start && m.end > end) {
      if (c.book_entries >= kFilesMax) return false;
      Mapping rest = m;
      cut_front(rest, end);
      m.end = start;
      book()[c.book_entries++] = rest;
    } else if (m.start < start) {
      m.end = start;
    } else if (m.end > end) {
      cut_front(m, end);
    } else {
      book()[i--] = book()[--c.book_entries];
      n = minimum(n, c.book_entries);
    }
  }
  return true;
}

bool note_mapping(const Mapping &m) {
  Control &c = control();
  if (c.book_entries >= kFilesMax) return false;
  book()[c.book_entries++] = m;
  return true;
}

}  // namespace mosrun
