// Guest: the book of its mappings: what of them lies at home, or means more than the kernel here knows. All of it under the lock of the mappings.
#pragma once
#include "stub.h"

namespace mosrun {

inline Mapping *book() { return pointer<Mapping>(base() + kBookOffset); }
inline bool is_shared(const Mapping &m) { return m.kind == Kind::shared_anon; }
inline bool is_lazy(const Mapping &m) { return m.flags & kLazy; }
inline bool is_of_file(const Mapping &m) { return m.kind == Kind::file_private || m.kind == Kind::file_shared; }

template <class Which> Mapping *find_in_book(u64 start, u64 end, Which which) {
  Control &c = control();
  for (u64 i = 0; i < c.book_entries; ++i)
    if (book()[i].start < end && start < book()[i].end && which(book()[i])) return &book()[i];
  return nullptr;
}

// Takes [start, end) out of the book, splitting what it cuts. False: there is no room for the pieces.
bool forget_mappings(u64 start, u64 end);
bool note_mapping(const Mapping &m);

// While mappings whose pages come from home change in [start, end), if there are any: pages that are on their way are not what is to be there, nor are those
// asked for meanwhile. One at a time.
class Change {
 public:
  Change(u64 start, u64 end);
  ~Change() {
    if (is_) add(&control().mappings_changed, 1);
  }
  Change(const Change &) = delete;
  Change &operator=(const Change &) = delete;

 private:
  bool is_;
};

// --- left.cc: of memory that was left at home ------------------------------------------------------------------------------------
// All of it in [start, end) comes, and is as any other from then on. False: it cannot be told apart any more.
bool bring_left(Slot *slot, u64 start, u64 end);
// The same of pages of files, of a vfork child's mapping: as far as the file goes.
void bring_lazy(Slot *slot, u64 start, u64 end);
// The program gives it up: it reads as zeros from then on.
bool give_up_left(u64 start, u64 end);
void settle_left();

}  // namespace mosrun
