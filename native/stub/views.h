// What /proc/PID and /proc/PID/task/TID show of a process that is not the same while its memory and its place of running are elsewhere, or that would
// show the deputy's own descriptors. Who opens one of its own is brought home for it, or is shown what is true of it elsewhere, and does not move while it
// holds one that it has opened at home.
#pragma once

namespace mosrun {

constexpr char kViews[][13] = {
  "clear_refs", "cmdline", "environ", "fd", "fdinfo", "map_files", "maps", "mem", "numa_maps", "pagemap", "smaps", "smaps_rollup", "stack", "stat", "statm",
  "status", "syscall", "wchan",
};
constexpr unsigned long kProcFilesystem = 0x9fa0;   // PROC_SUPER_MAGIC

// Those that are shown of the guest as long as it is away (view-text.h): what its memory is is told from there.
enum class Shown : unsigned { none, maps, stat, statm, status };
constexpr char kShownNames[][12] = {"", "self/maps", "self/stat", "self/statm", "self/status"};

// By the end of its name; of the last three only those of the process, not of one of its threads.
constexpr Shown shown_by(const char *name, unsigned long length) {
  for (unsigned which = 1; which < sizeof kShownNames / sizeof *kShownNames; ++which) {
    const char *view = kShownNames[which] + 4;
    unsigned long n = 0;
    while (view[n]) ++n;
    if (length <= n) continue;
    unsigned long same = 0;
    while (same < n && name[length - n + same] == view[same]) ++same;
    if (same < n) continue;
    unsigned long at = length - n;
    while (at && name[at - 1] != '/') --at;
    const bool of_thread = at >= 5 && name[at - 2] == 'k' && name[at - 3] == 's' && name[at - 4] == 'a' && name[at - 5] == 't';
    return which > 1 && of_thread ? Shown::none : Shown(which);
  }
  return Shown::none;
}

// Of a name as /proc/PID/fd tells it, ".../NUMBER/VIEW": the number, which is a process's or a thread's; 0 if it is no such name.
constexpr int viewed_process(const char *name, unsigned long length) {
  unsigned long last = length;
  while (last && name[last - 1] != '/') --last;
  bool known = false;
  for (const auto &view : kViews) {
    unsigned long i = 0;
    while (last + i < length && view[i] && name[last + i] == view[i]) ++i;
    known = known || (last + i == length && !view[i]);
  }
  if (!known || last < 2) return 0;
  int number = 0, scale = 1;
  unsigned long at = last - 1;
  for (; at && name[at - 1] >= '0' && name[at - 1] <= '9' && scale <= 100000000; --at, scale *= 10) number += (name[at - 1] - '0') * scale;
  return at && name[at - 1] != '/' ? 0 : number;
}

}  // namespace mosrun
