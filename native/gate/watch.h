// The event channels a keeper watches: when one hangs up, home is gone and the guest process that belongs to it ends at once.
#pragma once
#include <poll.h>
#include <sys/types.h>

#include "array.h"
#include "stub/wire.h"

namespace mosrun {

struct Watch {
  int fd;             // a duplicate of a channel that is, or may become, an event channel
  pid_t pid;          // 0: a spare that nobody uses yet; -1: the leader, not started yet
  int pidfd;          // of pid, -1
  uint16_t index;
  int32_t owner;      // of the spare: its number is its owner's
  bool provisional;   // thread 0's channel, until the event channel comes
};

class Watches {
 public:
  void add_channel(const PoolMessage &channel, int fd, pid_t leader);   // takes fd
  void start(pid_t leader);                       // the leader exists from now on
  bool has_event();                               // somebody's, or the leader's to be
  bool has_process();                             // some guest process is tied to its home
  void claim(const PoolMessage &message);         // a guest process says what it uses a spare for
  void poll_set(Array<pollfd> &set);              // two entries each, in order
  void react(const pollfd *ready, Array<pid_t> &ended);   // the same entries after poll; adds the processes that it has waited for
  void ended(pid_t pid, int status);              // somebody else has waited for it

 private:
  void drop(size_t index);
  void take_leave(size_t index, int status);
  void assign(Watch &watch, pid_t pid);
  Array<Watch> list_;
};

}  // namespace mosrun
