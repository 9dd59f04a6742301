// What /proc/PID and /proc/PID/task/TID show of a process that is not the same while its memory and its place of running are elsewhere, or that would
// show the deputy's own descriptors. Who opens one of its own is brought home for it, and does not move while it holds it.
#pragma once

namespace mosrun {

constexpr char kViews[][13] = {
  "clear_refs", "cmdline", "environ", "fd", "fdinfo", "map_files", "maps", "mem", "numa_maps", "pagemap", "smaps", "smaps_rollup", "stack", "stat", "statm",
  "status", "syscall", "wchan",
};
constexpr unsigned long kProcFilesystem = 0x9fa0;   // PROC_SUPER_MAGIC

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
