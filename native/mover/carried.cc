#include "mover/carried.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mosrun {

// Beside the state file. A process that has got the same number meanwhile has another start time.
static std::string file_of(const Order &o) { return o.state_dir + "/" + std::to_string(o.pid) + ".waits"; }

static void keep_waits(const Order &o, const std::vector<Carried> &waits) {
  ProcessStat stat;
  if (waits.empty() || !read_stat(o.pid, stat)) {
    unlink(file_of(o).c_str());
    return;
  }
  mkdir(o.state_dir.c_str(), 0755);
  FILE *file = fopen(file_of(o).c_str(), "we");
  if (!file) return;
  for (const Carried &w : waits) fprintf(file, "%lu %d %d %ld %ld %lx\n", stat.start_time, w.tid, w.nr, w.switches, w.deadline, w.after);
  fclose(file);
}

static std::vector<Carried> kept_waits(const Order &o) {
  std::vector<Carried> waits;
  ProcessStat stat;
  FILE *file = fopen(file_of(o).c_str(), "re");
  if (!file) return waits;
  unsigned long started;
  for (Carried w{}; fscanf(file, "%lu %d %d %ld %ld %lx", &started, &w.tid, &w.nr, &w.switches, &w.deadline, &w.after) == 6;)
    if (read_stat(o.pid, stat) && stat.start_time == started) waits.push_back(w);
  fclose(file);
  return waits;
}

KeptWaits::KeptWaits(const Order &order, Tracee &tracee) : order_(order), tracee_(tracee) { tracee_.carry(kept_waits(order_)); }

KeptWaits::~KeptWaits() {
  if (tracee_.holds()) tracee_.resume_all();
  keep_waits(order_, tracee_.carried());
}

}  // namespace mosrun
