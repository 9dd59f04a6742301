// Pre-copy: most of a process's memory goes to the other node while the process runs. The husk there takes it into place; what has changed since follows
// when the process stands still, by the same channel (stub/memory.cc). Nothing that happens here can harm the process: it knows nothing of it.
#pragma once
#include <errno.h>

#include <vector>

#include "engine/dirty.h"
#include "engine/inspect.h"
#include "engine/packing.h"
#include "engine/tracee.h"
#include "mover/channels.h"
#include "mover/mover.h"

namespace mosrun {

struct Copied {
  uint64_t bytes = 0, pages = 0;
  uint64_t saved = 0;                    // that were not sent, since others were packed
  unsigned rounds = 0;
  uint64_t dirty_rate = 0;               // bytes a second, in whole pages, that the process changed meanwhile
};

// Of run(): the program has mapped something in the stub's place since that was chosen.
constexpr int kPlaceTaken = EADDRINUSE;

// Has the process nothing where the stub at `base` would have its region?
bool is_free(const std::vector<Region> &regions, uint64_t base);

// Is it worth several streams?
bool is_large(pid_t pid);

class PreCopy {
 public:
  PreCopy(const Order &order, uint64_t base, const Channels &channels) : o_(order), base_(base), channels_(channels), streams_{channels.threads.at(channels.first)} {}

  // Has the process, which stands still for a moment, make what its pages are watched by. False: it is moved as it stands; `why_not` says why.
  bool begin(Tracee &tracee);
  bool holds() const { return held_; }                     // begin() has left it stopped, its threads read
  // Rounds, until little is left. 0, kPlaceTaken, or another errno: the channel is of no use any more.
  int run();

  bool live() const { return live_; }
  const std::string &why_not() const { return why_not_; }
  const Copied &copied() const { return copied_; }

 private:
  int copy_rounds();
  int copy_round(uint64_t &bytes);
  int go_over(size_t streams);
  int copy_region(const Region &region, uint64_t &bytes);
  int stage(const Region &region);
  int send_runs(const std::vector<PageRun> &runs, bool may_skip_zeros, uint64_t &bytes, bool &whole);
  int send_part(const char *part, const PageRun *pieces, size_t count, bool may_skip_zeros);
  int send_record(PageRun *runs, struct iovec *iov, size_t count, size_t size);
  int send_packed(PageRun *&runs, iovec *&iov, size_t &count, size_t &size);
  int send_parts(struct iovec *iov, size_t count);
  void ask_link();
  int send_all(const void *data, size_t size);
  int failure();

  const Order &o_;
  uint64_t base_;                        // of the stub that is to be
  const Channels &channels_;
  std::vector<int> streams_;             // the move's own channel first; a record over each in turn
  size_t turn_ = 0;
  bool live_ = false;
  bool held_ = false;
  std::string why_not_;
  Copied copied_;
  int64_t told_ = 0;                     // when how far it is
  DirtyPages dirty_;
  Packing packing_;
};

}  // namespace mosrun
