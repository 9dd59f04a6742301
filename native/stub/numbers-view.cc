// /proc/PID/stat, statm and status of a process that is away: what the kernel here writes of the deputy (fs/proc/array.c), with the memory, the processor
// time and the signals of the program in place of the deputy's.
#include "syscalls.h"
#include "view-text.h"

namespace mosrun {

namespace {

constexpr u64 kTick = 10000;                                // µs: USER_HZ

// Of mappings, bytes, as fs/proc/task_mmu.c and mm/mmap.c count them.
struct Totals {
  u64 all = 0, data = 0, stack = 0, code = 0, libraries = 0;

  void add(u64 length, bool write, bool exec, bool shared, bool grows) {
    all += length;
    if (grows) stack += length;
    else if (write && !shared) data += length;
    else if (exec && !write) libraries += length;           // until the program's own code is taken from it
  }
};

Totals total(const Own &maps, const Guest &guest) {
  Totals t;
  Line line;
  const char *at = maps.text, *end = maps.text + maps.length;
  const Mapping *list = guest.list;
  while (next_line(at, end, line))
    if (line.special() && !(line.start >> 63)) t.add(line.end - line.start, line.mode[1] == 'w', line.mode[2] == 'x', line.mode[3] == 's', false);
  for (u64 i = 0; i < guest.count; ++i) {
    const Mapping &m = list[i];
    if (m.kind == Kind::other || m.kind == Kind::vdso) continue;
    t.add(m.end - m.start, m.prot & prot_write, m.prot & prot_exec, m.kind == Kind::shared_anon || m.kind == Kind::file_shared, m.kind == Kind::stack || m.flags & kGrowsDown);
  }
  const MmMap &mm = control().mm;
  t.code = minimum(align_up(mm.end_code, kPage) - align_down(mm.start_code, kPage), t.libraries);
  t.libraries -= t.code;
  return t;
}

struct Signals {
  u64 blocked = 0, ignored = 0, caught = 0;
};

Signals signals_of(const Control &c) {
  Signals s;
  for (u32 i = 0; i < c.slots; ++i)
    if (slot_at(i)->state == u32(SlotState::used) && slot_at(i)->tid == c.pid) s.blocked = slot_at(i)->mask;
  for (int n = 1; n <= kSignals; ++n) {
    const u64 handler = c.process.actions[n - 1].handler;
    (handler > 1 ? s.caught : s.ignored) |= handler ? bit(n) : 0;
  }
  return s;
}

// As many as the table of descriptors has room for that has this one (alloc_fdtable in fs/file.c).
u64 room_for(u64 highest) {
  u64 pieces = 1;
  while (pieces < highest / 128 + 1) pieces *= 2;
  return highest < 64 ? 64 : 128 * pieces;
}

// Of those of the program.
u64 highest_descriptor() {
  u64 highest = 0;
  each_descriptor([&](u64 fd) { highest = maximum(highest, fd); });
  return highest;
}

// A word or a line of the text that is being written anew.
struct Piece {
  const char *at, *end;

  bool is(const char *name) const {
    const char *p = at;
    while (p < end && *name && *p == *name) ++p, ++name;
    return !*name;
  }
  u64 length() const { return u64(end - at); }
  u64 number(unsigned base = 10) const {
    u64 value = 0;
    const char *p = at;
    while (p < end && *p != ':' && *p != '\t' && (*p < '0' || *p > '9')) ++p;
    while (p < end && (*p == ':' || *p == '\t' || *p == ' ')) ++p;
    if (base == 16) return hex(p, end);
    for (; p < end && *p >= '0' && *p <= '9'; ++p) value = value * 10 + u64(*p - '0');
    return value;
  }
};

bool next_piece(const char *&at, const char *end, char separator, Piece &piece) {
  if (at >= end) return false;
  piece.at = at;
  while (at < end && *at != separator) ++at;
  piece.end = at;
  if (at < end) ++at;
  return true;
}

u64 kilobytes_of(const Own &text, const char *name) {
  Piece line;
  for (const char *at = text.text; next_piece(at, text.text + text.length, '\n', line);)
    if (line.is(name)) return line.number();
  return 0;
}

void write_statm(Writer &w, const Totals &t, const Seen &seen) {
  const u64 numbers[] = {t.all / kPage, (seen.anonymous + seen.files + seen.shared) * 1024 / kPage, (seen.files + seen.shared) * 1024 / kPage, t.code / kPage, 0, (t.data + t.stack) / kPage, 0};
  for (u64 i = 0; i < 7; ++i) w.number(numbers[i]), w.put(i < 6 ? " " : "\n");
}

void write_status(Writer &w, const Own &text, const Own &maps, const Totals &t, const Seen &seen) {
  const Control &c = control();
  const Signals s = signals_of(c);
  u64 stub = 0;
  Line mapping;
  for (const char *at = maps.text, *end = maps.text + maps.length; next_line(at, end, mapping, true);) stub += (mapping.end - mapping.start) / 1024;
  const u64 resident = seen.anonymous + seen.files + seen.shared, size = t.all / 1024, peak = kilobytes_of(text, "VmPeak:");
  const struct { char name[12]; u64 kilobytes; } sizes[] = {
    {"VmPeak:", maximum(size, peak > stub ? peak - stub : 0)}, {"VmSize:", size}, {"VmLck:", seen.locked},
    {"VmHWM:", maximum(maximum(resident, seen.most), kilobytes_of(text, "VmHWM:"))}, {"VmRSS:", resident}, {"RssAnon:", seen.anonymous}, {"RssFile:", seen.files},
    {"RssShmem:", seen.shared}, {"VmData:", t.data / 1024}, {"VmStk:", t.stack / 1024}, {"VmExe:", t.code / 1024}, {"VmLib:", t.libraries / 1024},
    {"VmPTE:", seen.tables}, {"VmSwap:", seen.swapped},
  };
  const struct { char name[8]; u64 signals; } masks[] = {{"SigBlk:", s.blocked}, {"SigIgn:", s.ignored}, {"SigCgt:", s.caught}};
  Piece line;
  for (const char *at = text.text; next_piece(at, text.text + text.length, '\n', line);) {
    bool written = false;
    for (const auto &one : sizes)
      if (line.is(one.name)) w.put(one.name), w.put("\t"), w.number(one.kilobytes, 1, 10, 8), w.put(" kB"), written = true;
    for (const auto &one : masks)
      if (line.is(one.name)) w.put(one.name), w.put("\t"), w.number(one.signals, 16, 16), written = true;
    if (line.is("SigPnd:") || line.is("ShdPnd:")) w.put(line.at, 8), w.number(line.number(16) & ~bit(kControlSignal), 16, 16), written = true;
    if (line.is("Threads:")) w.put("Threads:\t"), w.number(line.number() - (load(&c.stage_thread) != 0)), written = true;
    if (line.is("FDSize:")) w.put("FDSize:\t"), w.number(table_of_descriptors()), written = true;
    if (!written) w.put(line.at, line.length());
    w.put("\n");
  }
}

void write_stat(Writer &w, const Own &text, const Totals &t, const Seen &seen) {
  enum : u64 { user = 14, system = 15, threads = 20, size = 23, resident = 24, blocked = 32, ignored = 33, caught = 34 };   // proc_pid_stat(5)
  const Control &c = control();
  const Signals s = signals_of(c);
  const char *end = text.text + text.length, *at = text.text;
  for (const char *p = at; p < end; ++p)                                  // the name may have any character in it
    if (*p == ')') at = p + 1;
  w.put(text.text, u64(at - text.text));
  Piece word;
  for (u64 field = 2; next_piece(at, end, ' ', word); ++field) {
    if (word.length() && word.end[-1] == '\n') --word.end;
    switch (field) {
      case user: w.number(word.number() + seen.user / kTick); break;
      case system: w.number(word.number() + seen.system / kTick); break;
      case threads: w.number(word.number() - (load(&c.stage_thread) != 0)); break;
      case size: w.number(t.all); break;
      case resident: w.number((seen.anonymous + seen.files + seen.shared) * 1024 / kPage); break;
      case blocked: w.number(s.blocked & 0x7fffffff); break;
      case ignored: w.number(s.ignored & 0x7fffffff); break;
      case caught: w.number(s.caught & 0x7fffffff); break;
      default: w.put(word.at, word.length());
    }
    w.put(at < end ? " " : "\n");
  }
}

}  // namespace

void write_numbers(Writer &writer, Shown shown, const Own &text, const Own &maps, const Guest &guest) {
  const Totals totals = total(maps, guest);
  if (shown == Shown::statm) write_statm(writer, totals, *guest.seen);
  else if (shown == Shown::stat) write_stat(writer, text, totals, *guest.seen);
  else write_status(writer, text, maps, totals, *guest.seen);
}

u64 table_of_descriptors() { return room_for(highest_descriptor()); }

}  // namespace mosrun
