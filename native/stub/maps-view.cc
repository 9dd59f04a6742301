// /proc/PID/maps of a process that is away. The C library reads its own to find the main stack, so programs begin with it: the guest tells home what
// it has mapped, and home, which knows names and places of files, writes what the kernel would (show_map_vma, fs/proc/task_mmu.c). The descriptor then
// shows what was true when it was opened.
#include "views.h"
#include "stub.h"
#include "syscalls.h"

namespace mosrun {

namespace {

constexpr u64 kNameColumn = 73;

struct Line {
  u64 start = 0, end = 0, offset = 0;
  const char *mode = "", *device = "", *name = "";       // device: "major:minor inode "; the name goes to the end of the line
  u64 device_length = 0, name_length = 0;

  bool special() const { return name_length > 2 && name[0] == '[' && (name[1] == 'v' || name[1] == 'u'); }   // [vvar], [vdso], [vsyscall], [uprobes]
};

u64 hex(const char *&at, const char *end) {
  u64 value = 0;
  for (; at < end; ++at) {
    u64 digit = u64(*at - '0');
    if (digit > 9) digit = u64((*at | 32) - 'a') + 10;
    if (digit > 15) break;
    value = value * 16 + digit;
  }
  return value;
}

// The next line of home's list that is not the stub's; false at the end.
bool next_line(const char *&at, const char *end, Line &line) {
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
    if (p <= stop && line.start - base() >= kRegionSize) return true;
  }
  return false;
}

class Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {}
  void line(u64 start, u64 end, const char *mode, u64 offset, const char *device, u64 device_length, const char *name, u64 name_length) {
    u64 begun = total();
    number(start, 8), put("-", 1), number(end, 8), put(" ", 1), put(mode, 4), put(" ", 1), number(offset, 8), put(" ", 1), put(device, device_length);
    while (name_length && total() - begun < kNameColumn) put(" ", 1);
    put(name, name_length);
    put("\n", 1);
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
  u64 total() const { return flushed_ + used_; }
  void put(const char *text, u64 length) {
    for (u64 i = 0; i < length; ++i) {
      if (used_ == sizeof text_) flush();
      text_[used_++] = text[i];
    }
  }
  void number(u64 value, unsigned least) {
    char digits[16];
    unsigned n = 0;
    do digits[n++] = "0123456789abcdef"[value & 15], value >>= 4;
    while (value || n < least);
    while (n) put(&digits[--n], 1);
  }

  int fd_;
  char text_[4096];
  u64 used_ = 0, flushed_ = 0;
  i64 error_ = 0;
};

struct Own {                                                // home's list, as text
  char *text = nullptr;
  u64 length = 0, room = 0;

  bool read(int maps) {
    char piece[4096];
    u64 size = 0;
    sys(nr_lseek, u64(maps), 0, 0);
    for (i64 n; (n = sys(nr_read, u64(maps), address(piece), sizeof piece)) > 0;) size += u64(n);
    room = align_up(size + (64 << 10), kPage);              // what is mapped now is in it
    i64 at = sys(nr_mmap, 0, room, prot_read | prot_write, map_private | map_anonymous | map_noreserve, u64(-1), 0);
    if (failed(at)) return room = 0, false;
    text = pointer<char>(u64(at));
    sys(nr_lseek, u64(maps), 0, 0);
    for (i64 n; length < room && (n = sys(nr_read, u64(maps), address(text) + length, room - length)) > 0;) length += u64(n);
    return length;
  }
  ~Own() {
    if (room) sys(nr_munmap, address(text), room);
  }
};

void write_piece(Writer &writer, const Mapping &m, const Own &own, const char *&at, Line &line, bool &more, u64 brk) {
  Control &c = control();
  bool shared = m.kind == Kind::shared_anon || m.kind == Kind::file_shared;
  char mode[4] = {m.prot & prot_read ? 'r' : '-', m.prot & prot_write ? 'w' : '-', m.prot & prot_exec ? 'x' : '-', shared ? 's' : 'p'};
  const char *end = own.text + own.length;
  bool at_home = m.kind == Kind::file_private || m.kind == Kind::file_shared || (shared && m.object);
  for (u64 start = m.start; at_home && start < m.end;) {
    while (more && line.end <= start) more = next_line(at, end, line);
    if (!more || line.start > start) return;               // home has it no more
    u64 stop = minimum(line.end, m.end);
    writer.line(start, stop, mode, line.offset + (start - line.start), line.device, line.device_length, line.name, line.name_length);
    start = stop;
  }
  if (at_home) return;
  bool stack = m.kind == Kind::stack || (m.start <= c.mm.start_stack && c.mm.start_stack < m.end);
  bool heap = m.kind == Kind::anon && m.start <= brk && m.end >= c.mm.start_brk;
  const char *name = stack ? "[stack]" : heap ? "[heap]" : shared ? "/dev/zero (deleted)" : "";
  u64 length = 0;
  while (name[length]) ++length;
  writer.line(m.start, m.end, mode, 0, shared ? "00:01 0 " : "00:00 0 ", 8, name, length);
}

// Both lists are in order; of the kernel's own mappings home's are the program's.
i64 write_maps(int fd, const Own &own, const Mapping *guest, u64 guests, u64 brk) {
  Writer writer(fd);
  const char *end = own.text + own.length, *at_special = own.text, *at = own.text;
  Line special, line;
  auto next_special = [&] {
    while (next_line(at_special, end, special))
      if (special.special()) return true;
    return false;
  };
  bool specials = next_special(), more = next_line(at, end, line);
  for (u64 i = 0; i < guests; ++i) {
    for (; specials && special.start < guest[i].start; specials = next_special())
      writer.line(special.start, special.end, special.mode, special.offset, special.device, special.device_length, special.name, special.name_length);
    if (guest[i].kind == Kind::other || guest[i].kind == Kind::vdso || (specials && special.start < guest[i].end)) continue;
    write_piece(writer, guest[i], own, at, line, more, brk);
  }
  for (; specials; specials = next_special())
    writer.line(special.start, special.end, special.mode, special.offset, special.device, special.device_length, special.name, special.name_length);
  return writer.flush();
}

i64 put_in_place(u64 fd, i64 file) {
  Control &c = control();
  DescriptorName name{u32(file)};
  i64 shown = sys(syscalls::nr_openat, u64(c.proc), address(name.text), 0x80000);   // O_RDONLY | O_CLOEXEC: one that cannot be written
  if (failed(shown)) return shown;
  i64 flags = sys(nr_fcntl, fd, 1);                                            // F_GETFD
  i64 result = failed(flags) ? flags : sys(syscalls::nr_dup3, u64(shown), fd, flags & 1 ? 0x80000 : 0);
  sys(nr_close, u64(shown));
  return result;
}

}  // namespace

// Home: the descriptor args[0], which shows the deputy's own list, shows the guest's instead. Not 0: it could not be done.
i64 show_maps(const Request &r, const uint8_t *list) {
  Control &c = control();
  u64 count = r.in_size / sizeof(Mapping);
  auto *guest = reinterpret_cast<const Mapping *>(list);
  if (!count || address(list) % alignof(Mapping) || r.in_size % sizeof(Mapping) || count > kListMax || window_touches(r.args[0]) || !shows_maps(int(r.args[0])) || !possible_mappings(guest, count)) return -EINVAL_;
  WideLimit wide;
  Lock lock(&c.lock);                                                          // what is mapped here meanwhile is none of the program's (stage.cc)
  Own own;
  if (c.maps < 0 || !own.read(c.maps)) return -ENOMEM_;
  i64 file = sys(syscalls::nr_memfd_create, reinterpret_cast<u64>("maps"), 1);   // MFD_CLOEXEC
  if (failed(file)) return file;
  i64 error = write_maps(int(file), own, guest, count, r.args[1]);
  if (!error) error = put_in_place(r.args[0], file);
  sys(nr_close, u64(file));
  return failed(error) ? error : 0;
}

// Guest: its list for home, which answers with the descriptor, or that the process is to come home and open it there.
i64 tell_maps(Trap &trap, i64 fd, u32 nr) {
  Control &c = control();
  Lock lock(&c.lock);
  auto *list = pointer<Mapping>(base() + kListOffset);
  u64 count = have_own_files() ? list_mappings(list, false) : 0;
  Request r{};
  r.op = Op::maps;
  r.nr = uint16_t(nr);
  r.in_size = u32(count * sizeof(Mapping));
  r.args[0] = u64(fd);
  r.args[1] = u64(sys(nr_brk, 0));
  IoVec in[2] = {{}, {address(list), r.in_size}};
  Reply reply{};
  i64 result = exchange(trap.slot, r, in, count ? 2 : 1, nullptr, 0, reply);
  trap.signal_waits |= reply.flags & kSignalWaits;
  return result;
}

}  // namespace mosrun
