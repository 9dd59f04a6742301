// What a move to another node needs of both sides: channels to the node, and the socket to the stub, which is given them.
#pragma once
#include <sys/resource.h>

#include <map>
#include <string>
#include <vector>

#include "engine/inspect.h"
#include "mover/mover.h"

namespace mosrun {

inline constexpr unsigned kOpenSpares = 6;

struct Channels {
  std::map<unsigned, int> threads;       // by slot
  std::vector<int> spares;
  int event = -1, error = 0;
  bool streams = false;                  // the first spares are to carry memory: the other side has them before the threads' own
  unsigned first = 0;                    // the slot whose channel the move itself uses
  ~Channels();
};

std::string place(const Order &order);   // "node2 (10.77.0.2:7071)"

// Opens event channel, spares and one channel for each slot of `slots`, that of `channels.first` last: with it the other node begins. 0, or an errno.
int open_all(const Order &order, Begin &begin, const std::vector<unsigned> &slots, Channels &channels, std::string &error);

// Opens one for another slot. 0, or an errno.
int open_thread(const Order &order, unsigned slot, Channels &channels);

// The stub makes a socket pair: this copies one end of it. -1 with a reason.
int take_socket(const Order &order, pid_t leader, uint64_t base, int timeout_ms, std::string &error);

bool send_with_descriptor(int socket, const void *data, size_t size, int fd);

// Hands the channels of `slots` to the stub, with the others. If it cannot take them, its report says why. `advised`: as the stub's Control says it. `files`: leased.
void hand_over(const Order &order, int socket, const Channels &channels, const std::vector<unsigned> &slots, bool leaving, bool advised, const std::vector<MappedFiles::Lease> &files = {});

// Follows the stub's reports to the end. 0, or the errno it failed with.
int follow(int socket, ReportMessage &last);

// `stays`: where the process is then.
std::string why_failed(const Order &order, int error, const std::string &stays);

// One of the process's limits, as its node has them.
rlimit limit_of(pid_t pid, const char *name);

}  // namespace mosrun
