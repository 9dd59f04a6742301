// What the kernel writes about this process, and what is written in its place while it is away.
#pragma once
#include "stub.h"
#include "syscalls.h"
#include "views.h"

namespace mosrun {

struct Line {
  u64 start = 0, end = 0, offset = 0;
  const char *mode = nullptr, *device = nullptr, *name = nullptr;   // device: "major:minor inode "; the name goes to the end of the line
  u64 device_length = 0, name_length = 0;

  bool special() const { return name_length > 2 && name[0] == '[' && (name[1] == 'v' || name[1] == 'u'); }   // [vvar], [vdso], [vsyscall], [uprobes]
};

inline u64 hex(const char *&at, const char *end) {
  u64 value = 0;
  for (; at < end; ++at) {
    u64 digit = u64(*at - '0');
    if (digit > 9) digit = u64((*at | 32) - 'a') + 10;
    if (digit > 15) break;
    value = value * 16 + digit;
  }
  return value;
}

// The next line of home's list that is not the stub's, or that is; false at the end.
inline bool next_line(const char *&at, const char *end, Line &line, bool stub = false) {
  while (at < end) {
    const char *stop = at;
    while (stop < end && *stop != '\n') ++stop;
    const char *p = at;
    at = stop < end ? stop + 1 : end;
    line = {};
    line.start = hex(p, stop);
    line.end = hex(++p, stop);
    line.mode = ++p;
    p += 5;
    line.offset = hex(p, stop);
    line.device = ++p;
    for (int spaces = 0; p < stop && spaces < 2; ++p) spaces += *p == ' ';
    line.device_length = u64(p - line.device);
    while (p < stop && *p == ' ') ++p;
    line.name = p;
    line.name_length = u64(stop - p);
    if (p <= stop && (line.start - base() < kRegionSize) == stub) return true;
  }
  return false;
}

class Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {}
  u64 total() const { return flushed_ + used_; }
  void put(const char *text, u64 length) {
    for (u64 i = 0; i < length; ++i) {
      if (used_ == sizeof text_) flush();
      text_[used_++] = text[i];
    }
  }
  void put(const char *text) {
    for (; *text; ++text) put(text, 1);
  }
  // With so many digits at least, and before them as many spaces as make it so wide.
  void number(u64 value, unsigned least = 1, unsigned base = 10, unsigned width = 0) {
    char digits[24];
    unsigned n = 0;
    do digits[n++] = "0123456789abcdef"[value % base], value /= base;
    while (value || n < least);
    for (; width > n; --width) put(" ", 1);
    while (n) put(&digits[--n], 1);
  }
  i64 flush() {
    for (u64 done = 0; done < used_ && !error_;) {
      i64 n = sys(nr_write, u64(fd_), address(text_) + done, used_ - done);
      if (n > 0) done += u64(n);
      else error_ = n ? n : -EIO_;
    }
    flushed_ += used_;
    used_ = 0;
    return error_;
  }

 private:
  int fd_;
  char text_[4096];
  u64 used_ = 0, flushed_ = 0;
  i64 error_ = 0;
};

struct Own {                                                // a file of /proc
  char *text = nullptr;
  u64 length = 0, room = 0;

  bool read(int file) {
    char piece[4096];
    u64 size = 0;
    sys(nr_lseek, u64(file), 0, 0);
    for (i64 n; (n = sys(nr_read, u64(file), address(piece), sizeof piece)) > 0;) size += u64(n);
    room = align_up(size + (64 << 10), kPage);              // it may have grown, by this mapping too
    i64 at = sys(nr_mmap, 0, room, prot_read | prot_write, map_private | map_anonymous | map_noreserve, u64(-1), 0);
    if (failed(at)) return room = 0, false;
    text = pointer<char>(u64(at));
    sys(nr_lseek, u64(file), 0, 0);
    for (i64 n; length < room && (n = sys(nr_read, u64(file), address(text) + length, room - length)) > 0;) length += u64(n);
    return length;
  }
  Own() = default;
  Own(const Own &) = delete;
  Own &operator=(const Own &) = delete;
  ~Own() {
    if (room) sys(nr_munmap, address(text), room);
  }
};

// Home: visit(descriptor) for each that is the program's. False: nothing is known of them. (Of a first thread that has ended, /proc lists none.)
template <class Visit> bool each_descriptor(Visit visit) {
  struct Entry { u64 number, next; uint16_t length; uint8_t kind; char name[]; };   // struct linux_dirent64
  alignas(8) char entries[1024];
  const i64 directory = sys(syscalls::nr_openat, u64(control().proc), reinterpret_cast<u64>("thread-self/fd"), 0x90000);   // O_DIRECTORY | O_CLOEXEC
  if (failed(directory)) return false;
  for (i64 n; (n = sys(syscalls::nr_getdents64, u64(directory), address(entries), sizeof entries)) > 0;)
    for (const char *at = entries; at < entries + n; at += reinterpret_cast<const Entry *>(at)->length) {
      const char *digit = reinterpret_cast<const Entry *>(at)->name;
      u64 fd = 0;
      if (*digit < '0' || *digit > '9') continue;
      for (; *digit >= '0' && *digit <= '9'; ++digit) fd = fd * 10 + u64(*digit - '0');
      if (fd != u64(directory) && !window_touches(fd)) visit(fd);
    }
  sys(nr_close, u64(directory));
  return true;
}

// Home: of the guest, which has these mappings, and says the rest of itself.
struct Guest {
  const Seen *seen;
  const Mapping *list;
  u64 count, brk;
};
Shown shown_of(int fd);
void write_maps(Writer &writer, const Own &own, const Mapping *guest, u64 guests, u64 brk);
// `text`: what /proc/self/stat, statm or status shows of the deputy; `maps`: its own list.
void write_numbers(Writer &writer, Shown shown, const Own &text, const Own &maps, const Guest &guest);

}  // namespace mosrun
