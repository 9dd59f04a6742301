// A cable with a delay, for kernels without netem: frames from the node leave for the switch after DELAY, frames to it pass at once,
// so that one way between two nodes takes DELAY longer, and a round trip twice as long.
//   relay --node DIR --interface NAME --port NAME --delay MICROSECONDS --report FILE
// Both ends are TAP devices, one in the node's network namespace, one (a bridge port) in the namespace the relay runs in. Its own
// lateness (mean over the last 1,000 frames) is kept in the report file.
#include "tool.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

namespace testbed {
namespace {

struct Frame {
  long due;  // nanoseconds of CLOCK_MONOTONIC
  std::vector<char> bytes;
};

// What a long cable holds at once; more is dropped, as a full queue would.
constexpr size_t most_frames = 65536;

long now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000L + t.tv_nsec;
}

int tap(const char* name) {
  const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail("cannot open", "/dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (ioctl(fd, TUNSETIFF, &request) != 0) fail("cannot make the interface", name);
  return fd;
}

// One frame from one end to the other, at once. False when there is none.
bool pass(int from, int to) {
  char buffer[65536];
  const ssize_t got = read(from, buffer, sizeof buffer);
  if (got <= 0) return false;
  // A device that is down, or full, loses the frame: that is what cables do.
  [[maybe_unused]] const ssize_t sent = write(to, buffer, static_cast<size_t>(got));
  return true;
}

}  // namespace

int relay(int argc, char** argv) {
  const char *node = "", *interface = "", *port = "", *report = "";
  long delay = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i];
    if (word == "--node") node = argv[i + 1];
    else if (word == "--interface") interface = argv[i + 1];
    else if (word == "--port") port = argv[i + 1];
    else if (word == "--report") report = argv[i + 1];
    else if (word == "--delay") delay = std::atol(argv[i + 1]) * 1000;
  }
  prctl(PR_SET_TIMERSLACK, 1UL);
  const int outside = tap(port);
  // By path: the relay lives in the testbed's pid namespace, while the number and this /proc are the machine's.
  const std::string network = "/proc/" + std::to_string(read_recorded((std::string(node) + "/pid").c_str())) + "/ns/net";
  const int other = open(network.c_str(), O_RDONLY | O_CLOEXEC);
  if (other < 0 || setns(other, CLONE_NEWNET) != 0) fail("cannot enter", node);
  close(other);
  const int inside = tap(interface);

  std::deque<Frame> cable;
  long late = 0, sent = 0;
  for (;;) {
    pollfd ends[2] = {{inside, POLLIN, 0}, {outside, POLLIN, 0}};
    timespec wait{}, *limit = nullptr;
    if (!cable.empty()) {
      const long left = cable.front().due - now();
      wait.tv_nsec = left > 0 ? left % 1'000'000'000L : 0;
      wait.tv_sec = left > 0 ? left / 1'000'000'000L : 0;
      limit = &wait;
    }
    if (ppoll(ends, 2, limit, nullptr) < 0 && errno != EINTR) fail("cannot wait for", interface);
    char buffer[65536];
    for (ssize_t got; (got = read(inside, buffer, sizeof buffer)) > 0;)
      if (cable.size() < most_frames) cable.push_back({now() + delay, std::vector<char>(buffer, buffer + got)});
    while (pass(outside, inside)) {
    }
    while (!cable.empty() && cable.front().due <= now()) {
      late += now() - cable.front().due;
      [[maybe_unused]] const ssize_t done = write(outside, cable.front().bytes.data(), cable.front().bytes.size());
      cable.pop_front();
      if (++sent % 1000 != 0) continue;
      if (FILE* file = std::fopen(report, "we"); file != nullptr) {
        std::fprintf(file, "%.1f\n", static_cast<double>(late) / 1e6);  // mean of 1,000, in microseconds
        std::fclose(file);
      }
      late = 0;
    }
  }
}

}  // namespace testbed
