// /proc/PID/maps of a process that is away. The C library reads its own to find the main stack, so programs begin with it: the guest tells home what
// it has mapped, and home, which knows names and places of files, writes what the kernel would (show_map_vma, fs/proc/task_mmu.c). The descriptor then
// shows what was true when it was opened.
#include "view-text.h"

namespace mosrun {

namespace {

constexpr u64 kNameColumn = 73;

void write_line(Writer &w, u64 start, u64 end, const char *mode, u64 offset, const char *device, u64 device_length, const char *name, u64 name_length) {
  const u64 begun = w.total();
  w.number(start, 8, 16), w.put("-"), w.number(end, 8, 16), w.put(" "), w.put(mode, 4), w.put(" "), w.number(offset, 8, 16), w.put(" "), w.put(device, device_length);
  while (name_length && w.total() - begun < kNameColumn) w.put(" ");
  w.put(name, name_length);
  w.put("\n");
}

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
    write_line(writer, start, stop, mode, line.offset + (start - line.start), line.device, line.device_length, line.name, line.name_length);
    start = stop;
  }
  if (at_home) return;
  bool stack = m.kind == Kind::stack || (m.start <= c.mm.start_stack && c.mm.start_stack < m.end);
  bool heap = m.kind == Kind::anon && m.start <= brk && m.end >= c.mm.start_brk;
  const char *name = stack ? "[stack]" : heap ? "[heap]" : shared ? "/dev/zero (deleted)" : "";
  u64 length = 0;
  while (name[length]) ++length;
  write_line(writer, m.start, m.end, mode, 0, shared ? "00:01 0 " : "00:00 0 ", 8, name, length);
}

}  // namespace

// Both lists are in order; of the kernel's own mappings home's are the program's.
void write_maps(Writer &writer, const Own &own, const Mapping *guest, u64 guests, u64 brk) {
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
      write_line(writer, special.start, special.end, special.mode, special.offset, special.device, special.device_length, special.name, special.name_length);
    if (guest[i].kind == Kind::other || guest[i].kind == Kind::vdso || (specials && special.start < guest[i].end)) continue;
    write_piece(writer, guest[i], own, at, line, more, brk);
  }
  for (; specials; specials = next_special())
    write_line(writer, special.start, special.end, special.mode, special.offset, special.device, special.device_length, special.name, special.name_length);
}

}  // namespace mosrun
