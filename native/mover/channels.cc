#include "mover/channels.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/inspect.h"
#include "mover/report.h"

namespace mosrun {

Channels::~Channels() {
  for (auto [slot, fd] : threads) close(fd);
  for (int fd : spares) close(fd);
  if (event >= 0) close(event);
}

// From /proc: prlimit(2) of another user's process needs CAP_SYS_RESOURCE, which a contained root may lack.
rlimit limit_of(pid_t pid, const char *name) {
  std::string text;
  rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  if (!read_file(proc_path(pid, "limits"), text)) return limit;
  size_t at = text.find(name);
  char soft[32] = "unlimited", hard[32] = "unlimited";
  if (at != std::string::npos) sscanf(text.c_str() + at + strlen(name), " %31s %31s", soft, hard);
  if (strcmp(soft, "unlimited")) limit.rlim_cur = strtoull(soft, nullptr, 10);
  if (strcmp(hard, "unlimited")) limit.rlim_max = strtoull(hard, nullptr, 10);
  return limit;
}

std::string place(const Order &o) {
  if (o.node == kFrozen) return "the freezer";
  return o.node + " (" + o.address + ":" + std::to_string(ntohs(o.session.gate.sin_port)) + ")";
}

int open_all(const Order &o, Begin &begin, const std::vector<unsigned> &slots, Channels &channels, std::string &error) {
  auto failed = [&](int e) {
    if (e == EPROTONOSUPPORT) return error = place(o) + " speaks another version of mosrun's protocol: upgrade the older of the two nodes", e;
    error = "the data port of " + place(o) + " did not take the process: " + strerror(e) + "; is mosgate running there and is the port open?";
    return e;
  };
  // The move's own comes last: with it go the clock offsets, and every handshake makes them better.
  auto open_one = [&](ChannelKind kind, unsigned index) {
    Opened c = open_channel(o.session, kind, index, kind == ChannelKind::thread && !index ? &begin : nullptr, o.timeout_ms);
    if (!c.error) improve_offsets(begin, c);
    channels.error = c.error;
    return c.fd;
  };
  if ((channels.event = open_one(ChannelKind::event, 0)) < 0) return failed(channels.error);
  for (unsigned i = 0; i < kOpenSpares; ++i) {
    channels.spares.push_back(open_one(ChannelKind::spare, i + 1));
    if (channels.error) return failed(channels.error);
  }
  auto hear_spares = [&] {
    for (int fd : channels.spares)
      if (int e = await_welcome(fd, o.timeout_ms)) return e;
    return 0;
  };
  if (int e = channels.streams ? hear_spares() : 0) return failed(e);
  for (unsigned slot : slots) {
    if (slot == channels.first) continue;
    int fd = open_one(ChannelKind::thread, slot);
    if (fd < 0) return failed(channels.error);
    channels.threads[slot] = fd;
  }
  int first = open_one(ChannelKind::thread, 0);
  if (first < 0) return failed(channels.error);
  channels.threads[channels.first] = first;
  for (auto [slot, fd] : channels.threads)
    if (int e = slot == channels.first ? 0 : await_welcome(fd, o.timeout_ms)) return failed(e);
  if (int e = await_welcome(channels.event, o.timeout_ms)) return failed(e);
  if (int e = channels.streams ? 0 : hear_spares()) return failed(e);
  if (int e = await_welcome(first, o.timeout_ms)) {
    error = place(o) + " could not prepare a place for the process: " + strerror(e);
    return e;
  }
  return 0;
}

int open_thread(const Order &o, unsigned slot, Channels &channels) {
  Opened c = open_channel(o.session, ChannelKind::thread, slot, nullptr, o.timeout_ms);
  if (!c.error) c.error = await_welcome(c.fd, o.timeout_ms);
  if (c.fd >= 0) channels.threads[slot] = c.fd;
  return c.error;
}

bool send_with_descriptor(int socket, const void *data, size_t size, int fd) {
  char space[CMSG_SPACE(sizeof(int))] = {};
  iovec iov{const_cast<void *>(data), size};
  msghdr header{};
  header.msg_iov = &iov;
  header.msg_iovlen = 1;
  header.msg_control = space;
  header.msg_controllen = sizeof space;
  cmsghdr *c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  return sendmsg(socket, &header, MSG_NOSIGNAL) == ssize_t(size);
}

static bool hand(int socket, Role role, unsigned index, int fd, bool last, uint64_t start = 0, uint64_t end = 0) {
  Handover message{role, uint16_t(index), last, start, end};
  return send_with_descriptor(socket, &message, sizeof message, fd);
}

int take_socket(const Order &o, pid_t leader, uint64_t base, int timeout_ms, std::string &error) {
  int64_t until = clock_ns(CLOCK_MONOTONIC) + timeout_ms * 1000000LL;
  for (;;) {
    Control c{};
    if (!read_control(leader, {base}, c)) return error = "it ended meanwhile", -1;
    if (c.mover >= 0) {
      int fd = copy_descriptor(o.pid, leader, c.mover_peer);
      if (fd < 0) error = std::string("its side of the connection could not be reached: ") + strerror(errno);
      return fd;
    }
    if (c.failed) return error = std::string("the stub gave up: ") + strerror(int(c.failed)), -1;
    if (Phase(c.phase) == Phase::home) return error = "it is at home again", -1;   // a mover that had no processor for a while missed the way
    if (Phase(c.phase) == Phase::returning) return error = "it came home meanwhile, for a call that is not served away", -1;
    if (clock_ns(CLOCK_MONOTONIC) > until) return error = "its threads did not stand still in time", -1;
    usleep(20);
  }
}

void hand_over(const Order &o, int socket, const Channels &channels, const std::vector<unsigned> &slots, bool leaving, bool advised, const std::vector<MappedFiles::Lease> &files) {
  int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  auto open_own = [&](const char *name) { return open(proc_path(living_thread(o.pid), name).c_str(), O_RDONLY | O_CLOEXEC); };
  int maps = open_own(advised ? "smaps" : "maps"), pagemap = leaving ? open_own("pagemap") : -1;
  bool good = hand(socket, Role::proc, 0, proc, false) && hand(socket, Role::maps, 0, maps, false) && (!leaving || hand(socket, Role::pagemap, 0, pagemap, false)) && hand(socket, Role::event, 0, channels.event, false);
  o.dies_at(Fault::mover_dies_handing);
  for (const auto &file : files) good = good && hand(socket, Role::file, 0, file.fd, false, file.start, file.end);
  for (size_t i = 0; i < channels.spares.size(); ++i) good = good && hand(socket, Role::spare, unsigned(i + 1), channels.spares[i], false);
  for (size_t i = 0; i < slots.size(); ++i) good = good && hand(socket, Role::thread, slots[i], channels.threads.at(slots[i]), i + 1 == slots.size());
  close(proc);
  close(maps);
  if (leaving) close(pagemap);
}

// Follows the stub's reports to the end. 0, or the errno it failed with.
int follow(int socket, ReportMessage &last) {
  for (;;) {
    pollfd p{socket, POLLIN, 0};
    int n = poll(&p, 1, -1);                               // every wait of the stub is bounded, and it always reports
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    ReportMessage message{};
    ssize_t got = recv(socket, &message, sizeof message, 0);
    // A stub that gave up with descriptors unread: the error comes first, and once (unix_release_sock, net/unix/af_unix.c); its word is behind it.
    if (got < 0 && errno == ECONNRESET) got = recv(socket, &message, sizeof message, 0);
    if (got != ssize_t(sizeof message)) return ECONNRESET;
    last = message;
    switch (message.type) {
      case Report::sent: say_phase("sent", int64_t(message.at)); break;
      case Report::ready: say_phase("ready", int64_t(message.at)); break;
      case Report::running: say_phase("running", int64_t(message.at)); return 0;
      case Report::failed: return message.error ? message.error : EPROTO;
    }
  }
}

std::string why_failed(const Order &o, int error, const std::string &stays) {
  switch (error) {
    case ETIMEDOUT: case EAGAIN: return place(o) + " did not answer in time; the process goes on " + stays;
    case EPIPE: case ECONNRESET: return "the connection to " + place(o) + " was cut; the process goes on " + stays;
    case ENOLINK: return "the node it is on has no connection to " + place(o) + "; the process goes on " + stays;
    case ENOSPC: case EDQUOT: case EFBIG: return "the disk for frozen processes is full; the process goes on " + stays;
    case ENOMEM: return place(o) + " has no memory for it; the process goes on " + stays;
    default: return "the move to " + place(o) + " failed (" + strerror(error) + "); the process goes on " + stays;
  }
}

}  // namespace mosrun
