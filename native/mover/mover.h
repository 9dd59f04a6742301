// What a mover carries out.
#pragma once
#include <signal.h>

#include <string>

#include "engine/channel.h"
#include "engine/proc.h"
#include "stub/faults.h"
#include "stub/layout.h"

namespace mosrun {

constexpr const char *kFrozen = "(frozen)";   // in a node's place: the process is kept on its home's disk (lib/shared/frozen.ts)

struct Order {
  pid_t pid = 0;
  std::string node = "?", address;
  Session session;
  bool at_exec = false;
  bool ordinary = false;                 // it goes only if it has no rights beyond an ordinary user's program
  Unserved unserved = Unserved::home;
  bool read_ahead = true;                // of the program, while it is away
  bool write_behind = true;
  bool awake = true;
  bool lazy = false;                     // its memory stays, and follows as it is touched
  bool packs = true;                     // what goes ahead of it, wherever it goes, may be packed
  bool keeps = true;                     // home gives its memory back only when something needs it
  uint32_t memory = 0;                   // on: number of the channels between the two nodes
  bool large = false;                    // on: there are to be several
  int timeout_ms = 10000;
  int exec_timeout_ms = 60000;
  std::string state_dir = "/run/mosrun/processes";
  uint32_t fault = 0;                    // a test's: from the file `fault` of the state directory, once

  bool fails(Fault here) const { return fault == uint32_t(here); }
  void dies_at(Fault here) const {       // where a mover may be killed
    if (fails(here)) raise(SIGKILL);
  }
};

int move_out(const Order &order);
int move_home(const Order &order);
int move_on(const Order &order);
int explain(const Order &order);
int link_guest(const Order &order, const std::string &gate, const std::string &guest_session);

bool order_deputy(pid_t pid, Remote base, uint32_t order);   // kHome, kOn; false: it has ended, or started another program
std::string node_of(const Order &order);           // where its state file says that it is

// Takes the stub out of a process that is at home; false if a thread is still in it. Normally the threads count themselves out; `thorough` looks
// for itself, for one whose mover died before all of them had come in.
bool clean(const Order &order, std::string &error, bool thorough = false);

// A guest that shares its memory with its parent (vfork) is given some time to execute its program.
bool shares_memory_away(pid_t pid, struct ProcessStatus &status);
bool restore_arguments(struct Thread &thread, uint64_t base, uint32_t slots, std::string &error);
inline constexpr const char *kInCall = "a thread of it is within a call that is to be left alone";

bool write_state(const Order &order, uint64_t control);
void remove_state(const Order &order);

}  // namespace mosrun
