// The three orders a mover carries out.
#pragma once
#include <string>

#include "engine/channel.h"
#include "engine/proc.h"

namespace mosrun {

struct Order {
  pid_t pid = 0;
  std::string node = "?", address;
  Session session;
  bool at_exec = false;
  int timeout_ms = 10000;
  int exec_timeout_ms = 60000;
  std::string state_dir = "/run/mosrun/processes";
};

int move_out(const Order &order);
int move_home(const Order &order);
int explain(const Order &order);

// Takes the stub out of a process that is at home; false if a thread may still be in it.
bool clean(pid_t pid, std::string &error);

bool write_state(const Order &order, uint64_t control);
void remove_state(const Order &order);

}  // namespace mosrun
