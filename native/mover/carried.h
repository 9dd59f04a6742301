// Waits that went on at home after they were stopped: kept beside the state file until the process is stopped again.
#pragma once
#include "engine/tracee.h"
#include "mover/mover.h"

namespace mosrun {

// Tells `tracee` of the waits that are kept. What it still holds in the end goes on, and its waits are kept.
class KeptWaits {
 public:
  KeptWaits(const Order &order, Tracee &tracee);
  ~KeptWaits();
  KeptWaits(const KeptWaits &) = delete;
  KeptWaits &operator=(const KeptWaits &) = delete;

 private:
  const Order &order_;
  Tracee &tracee_;
};

}  // namespace mosrun
