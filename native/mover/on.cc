// On: from one hosting node to another. The process is not touched by this one: its deputy is told where to, given the channels to the next node, and
// does the rest with it and with the node that hosts it now, from which the memory goes straight to the next.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/inspect.h"
#include "engine/sha256.h"
#include "mover/channels.h"
#include "mover/report.h"

namespace mosrun {

namespace {

constexpr int kAskAgain = 100;           // ms

struct Slots {
  std::vector<unsigned> used;
  unsigned first = 0;                    // the process's first thread's; 0, which no other ever has, if that is not known any more
};

bool read_slots(const Order &o, const ProcessStatus &status, Slots &slots) {
  slots = {};
  for (unsigned i = 0; i < status.control.slots; ++i) {
    Slot slot{};
    if (!read_memory(living_thread(o.pid), status.base + (kSlotsOffset + i * kSlotSize), &slot, sizeof slot)) return false;
    if (slot.tid == status.control.pid) slots.first = i;
    if (SlotState(slot.state) == SlotState::used) slots.used.push_back(i);
  }
  return true;
}

// With the move's own channel, whose slot may have no thread any more.
std::vector<unsigned> with_first(Slots slots, unsigned first) {
  for (unsigned slot : slots.used)
    if (slot == first) return slots.used;
  slots.used.push_back(first);
  return slots.used;
}

// Of the stub in the process, which may be older than this mover's. 0: it has ended.
uint64_t hash_of_stub(const Order &o, Remote base) {
  for (int tries = 0; tries < 3; ++tries) {
    BlobHeader header{};
    const pid_t reader = living_thread(o.pid);   // which may end any moment
    if (!read_memory(reader, base, &header, sizeof header) || header.magic != kBlobMagic || header.size > kCodeSize) continue;
    std::vector<uint8_t> code(header.size);
    if (read_memory(reader, base, code.data(), code.size())) return sha256_prefix(code.data(), code.size());
  }
  return 0;
}

// Who goes to disk is to take no room: the kernel need not wait for a need with what was kept at home (process_madvise(2), Linux 5.10).
void give_up_kept(pid_t pid, uint64_t base) {
  const int fd = open_pidfd(pid, pid);
  if (fd < 0) return;
  for (const Region &region : read_regions(living_thread(pid), false)) {
    if (region.shared || region.inode || (region.end > base && region.start < base + kRegionSize)) continue;
    const iovec range{reinterpret_cast<void *>(region.start), region.end - region.start};
    syscall(SYS_process_madvise, fd, &range, 1, MADV_PAGEOUT, 0);
  }
  close(fd);
}

bool write_next(const Order &o, const ProcessStatus &status, unsigned first) {
  Stay next{};
  next.session = o.session.id;
  memcpy(next.token, o.session.token, sizeof next.token);
  next.gate_address = o.session.gate.sin_addr.s_addr;
  next.gate_port = o.session.gate.sin_port;
  next.spare_serial = kOpenSpares + 1;
  next.first = first;
  next.memory = o.memory;
  next.seal = o.session.seal;
  next.event = -1;
  for (Spare &s : next.spares) s = {-1, 0};
  const uint32_t not_failed = 0;
  bool good = write_memory(living_thread(o.pid), status.base + (kControlOffset + offsetof(Control, failed)), &not_failed, sizeof not_failed) &&
              write_memory(living_thread(o.pid), status.base + (kControlOffset + offsetof(Control, next)), &next, sizeof next);
  explicit_bzero(&next, sizeof next);
  uint32_t none = 0;                     // of a move before this
  return good && write_memory(living_thread(o.pid), status.base + (kControlOffset + offsetof(Control, failed)), &none, sizeof none);
}

// The node that hosts it copies its memory to the next while it runs; that one tells how far it is. Should nothing come of it, all moves as it stands.
bool await_ahead(const Order &o, Remote base, int channel) {
  for (RecordHeader word{};;) {
    pollfd p{channel, POLLIN, 0};
    // Its threads may all wait for answers to calls, and look about only when they have them: the order puts them out of those.
    for (int64_t until = clock_ns(CLOCK_MONOTONIC) + o.timeout_ms * 1000000LL; poll(&p, 1, kAskAgain) != 1;)
      if (clock_ns(CLOCK_MONOTONIC) > until || !order_deputy(o.pid, base, kAheadOn)) return false;
    if (recv(channel, &word, sizeof word, MSG_PEEK | MSG_DONTWAIT) != ssize_t(sizeof word) || word.type != Record::ahead) return false;   // the stub reads it
    recv(channel, &word, sizeof word, MSG_DONTWAIT);
    say_phase(word.count == kSoFar ? "copying" : word.count ? "copied" : "not copied");
    if (word.count != kSoFar) return word.count != 0;
  }
}

// mosgate's answer: a line. Events, which it tells everyone, may come before.
bool read_answer(int control, std::string &answer) {
  char byte;
  do {
    answer.clear();
    while (recv(control, &byte, 1, 0) == 1 && byte != '\n') answer += byte;
  } while (!answer.compare(0, 8, "{\"event\""));
  return !answer.empty();
}

}  // namespace

int move_on(const Order &order) {
  Order o = order;
  o.session.owner = innermost_pid(o.pid);
  if (o.fails(Fault::other_version)) ++o.session.protocol;
  int64_t started = clock_ns(CLOCK_MONOTONIC);
  const std::string who = "process " + std::to_string(o.pid);
  say_phase("started");
  o.dies_at(Fault::mover_dies_at_start);
  ProcessStatus status;
  Slots slots;
  find_control(o.pid, status);
  if (!status.base || !strcmp(status.state, "home")) return say_failed("not-found", who + " is not away");
  if (strcmp(status.state, "away")) return say_failed("busy", who + " is " + status.state);
  if (shares_memory_away(o.pid, status)) return say_failed("cannot-move", who + " cannot move: " + why_shared_away);
  if (!status.base || strcmp(status.state, "away")) return say_failed("not-found", who + " has ended or started another program meanwhile");
  if (status.control.protocol != kProtocol) return say_failed("protocol", who + " left with another version of mosrun: bring it home first");
  if (!read_slots(o, status, slots)) return say_failed("not-found", who + " has ended");
  const std::string stays = "on " + node_of(o);
  rlimit stack = limit_of(o.pid, "Max stack size");
  Begin begin{};
  begin.base = status.base.value;
  begin.blob_hash = hash_of_stub(o, status.base);
  if (!begin.blob_hash) return say_failed("not-found", who + " has ended");
  begin.stack_limit = stack.rlim_cur;
  begin.stack_max = stack.rlim_max;
  begin.pid = innermost_pid(o.pid);
  begin.timeout_ms = uint32_t(o.timeout_ms);
  begin.threads = uint32_t(slots.used.size());
  begin.fault = o.fault;
  begin.first = slots.first;
  begin.memory = o.memory;
  Channels channels;
  channels.first = slots.first;
  std::string error;
  if (int e = open_all(o, begin, slots.used, channels, error)) return say_failed(code_of(e), error);
  say_phase("connected");
  o.dies_at(Fault::mover_dies_ordering);
  if (o.fault) write_memory(o.pid, status.base + (kControlOffset + offsetof(Control, fault)), &o.fault, sizeof o.fault);
  if (!write_next(o, status, slots.first)) return say_failed("not-found", who + " has ended");
  const bool ahead = o.node != kFrozen && node_of(o) != kFrozen;
  const bool live = ahead && order_deputy(o.pid, status.base, kAheadOn) && await_ahead(o, status.base, channels.threads.at(channels.first));
  if (!order_deputy(o.pid, status.base, kOn)) return say_failed("not-found", who + " has ended");
  o.dies_at(Fault::mover_dies_ordered);
  int socket = take_socket(o, living_thread(o.pid), status.base.value, o.timeout_ms, error);
  if (socket < 0) return say_failed(o.pid, "cannot-move", who + " did not move on: " + error);
  say_phase("stopped");
  // All stand still now: threads that began meanwhile need channels too.
  int failure = read_control(living_thread(o.pid), status.base, status.control) && read_slots(o, status, slots) ? 0 : EPROTO;
  for (unsigned slot : slots.used)
    if (!failure && !channels.threads.contains(slot)) failure = open_thread(o, slot, channels);
  ReportMessage last{};
  if (!failure) {
    hand_over(o, socket, channels, with_first(slots, channels.first), false, status.control.advised);
    o.dies_at(Fault::mover_dies_following);
    failure = follow(socket, last);
  }
  close(socket);
  if (failure) return say_failed(o.pid, code_of(failure), why_failed(o, failure, stays));
  Figures f;
  f.from = node_of(o);
  f.to = o.node;
  read_control(living_thread(o.pid), status.base, status.control);
  write_state(o, status.base.value + kControlOffset);
  if (o.node == kFrozen && status.control.kept) give_up_kept(o.pid, status.base.value);
  f.freeze_seconds = double(status.control.statistics.freeze_ns) / 1e9;
  f.total_seconds = double(clock_ns(CLOCK_MONOTONIC) - started) / 1e9;
  f.bytes = last.sent.bytes;
  f.pages = last.sent.pages;
  f.saved = last.sent.saved;
  f.threads = unsigned(slots.used.size());
  f.rounds = live;
  return say_done(o.pid, f);
}

// On the node that hosts it now: opens the channels its memory will go over, and has mosgate give them to the guest.
int link_guest(const Order &o, const std::string &gate, const std::string &guest_session) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (gate.size() >= sizeof address.sun_path) return say_failed("usage", gate + " is too long a name");
  memcpy(address.sun_path, gate.c_str(), gate.size() + 1);
  for (unsigned i = 0; i < (o.large ? kStreams : 1); ++i) {
    const unsigned number = o.memory * kStreams + i;
    Opened opened = open_channel(o.session, ChannelKind::memory, number, nullptr, o.timeout_ms);
    if (!opened.error) opened.error = await_welcome(opened.fd, o.timeout_ms);
    if (opened.error) return say_failed(code_of(opened.error), "the data port of " + place(o) + " cannot be reached from here: " + strerror(opened.error) + "; bring the process home first, or open the port between the two nodes");
    int control = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::string line = "pass " + guest_session + " " + std::to_string(o.pid) + " " + std::to_string(number) + "\n";
    std::string answer;
    bool told = connect(control, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0 && send_with_descriptor(control, line.data(), line.size(), opened.fd) &&
                read_answer(control, answer);
    close(control);
    close(opened.fd);
    if (answer.find("\"code\":\"not-found\"") != std::string::npos) return say_failed("not-found", "process " + std::to_string(o.pid) + " has ended or left meanwhile, or its mosgate was replaced: " + answer);
    if (!told || answer.find("\"ok\":true") == std::string::npos) return say_failed("failed", std::string("mosgate did not take the channel: ") + (told ? answer : strerror(errno)));
  }
  say("{\"event\":\"linked\"}");
  return 0;
}

}  // namespace mosrun
