#include "engine/stops.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/inspect.h"
#include "stub/wire.h"

namespace mosrun {

bool tell_stopped(pid_t pid, bool stopped) {
  ProcessStatus status;
  if (!find_control(pid, status) || Phase(status.control.phase) != Phase::away || status.control.event < 0) return false;
  int channel = copy_descriptor(pid, living_thread(pid), status.control.event);
  if (channel < 0) return false;
  // Had it started another program meanwhile, the number might be that of a file of that one.
  Control again;
  if (!read_control(pid, status.base, again) || again.session != status.control.session || again.event != status.control.event) return close(channel), false;
  const Event event{stopped ? EventType::stop : EventType::resume, 0, 0, 0};
  bool sent = send(channel, &event, sizeof event, MSG_NOSIGNAL | MSG_DONTWAIT) == ssize_t(sizeof event);
  close(channel);
  return sent;
}

bool tell_room(pid_t pid, int64_t lacking) {
  ProcessStatus status;
  if (!find_control(pid, status) || Phase(status.control.phase) != Phase::away) return false;
  const uint64_t until = lacking ? uint64_t(clock_ns(CLOCK_MONOTONIC) + lacking) : 0;
  return write_memory(living_thread(pid), status.base + (kControlOffset + offsetof(Control, no_room_until)), &until, sizeof until);
}

}  // namespace mosrun
