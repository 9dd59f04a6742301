// What is known of a process that is frozen, and the passes over the records that it consists of: state, a slot for each thread, mappings, pages, end.
#pragma once
#include "gate/array.h"
#include "freezer/image.h"
#include "stub/wire.h"

namespace mosrun {

struct FrozenProcess {
  uint32_t slots = 0;
  Array<uint16_t> living;          // slots with a thread, in their order
  uint64_t brk = 0;
  Sent got{};                      // of pages
};

// Takes them as they come and keeps them; what is not as it must be is -EPROTO. `fault`: a test's (stub/faults.h).
int take_in(Source &from, Sink &to, FrozenProcess &process, uint32_t fault);

// The same bytes once more, for the next node.
int send_on(Source &image, Sink &to, uint32_t fault);

// For home, which has kept the mappings: registers by `park` for each thread in turn, then the memory by `memory`.
class HomeSinks {
 public:
  // 0 or -errno, which ends it. `slot` is followed by `slot.frame_length` bytes.
  virtual int park(uint16_t index, bool last, const void *slot, size_t size) = 0;
  virtual int begin_memory(uint64_t brk) = 0;
  virtual Sink &memory() = 0;

 protected:
  ~HomeSinks() = default;
};
int send_home(Source &image, const FrozenProcess &process, HomeSinks &to, uint32_t fault);

}  // namespace mosrun
