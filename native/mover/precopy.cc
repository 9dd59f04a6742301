#include "mover/precopy.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "engine/inspect.h"
#include "mover/report.h"

namespace mosrun {

namespace {

constexpr uint64_t kFewest = 256 << 10;      // bytes of memory that are worth a second stop
constexpr uint64_t kLittle = 256 << 10;      // bytes of a round after which the rest may as well follow
constexpr unsigned kRoundsMax = 12;
constexpr uint64_t kLarge = 32 << 20;        // bytes that are worth several streams
constexpr double kShrinks = 0.7;             // of a round to the one before it, or there is no end to them
constexpr int kStopTries = 20, kStopPause = 1000;   // µs
constexpr size_t kPart = 256 << 10;          // stays in the processor's cache between reading and sending
constexpr uint64_t kDirect = 040000;         // O_DIRECT as fdinfo has it

// What a device writes into memory is not seen by the page tables: while it does so, PAGEMAP_SCAN would count the page as unchanged.
bool reads_past_the_cache(pid_t pid) {
  const std::string list = proc_path(living_thread(pid), "fdinfo");
  DIR *dir = opendir(list.c_str());
  bool found = false;
  while (dirent *entry = dir && !found ? readdir(dir) : nullptr) {
    std::string text;
    if (entry->d_name[0] == '.' || !read_file(list + "/" + entry->d_name, text)) continue;
    const size_t at = text.find("flags:");
    found = at != std::string::npos && (strtoull(text.c_str() + at + 6, nullptr, 8) & kDirect);
  }
  if (dir) closedir(dir);
  return found;
}

// As can_be_staged (stub.h), of what may be read.
bool travels_early(const Region &r) {
  return r.read && !r.shared && !r.inode && r.name != "[vsyscall]" && r.name != "[vdso]" && r.name.compare(0, 5, "[vvar") && r.name.compare(0, 9, "[uprobes]");
}

bool is_zero(const char *page) {
  const auto *words = reinterpret_cast<const uint64_t *>(page);
  for (size_t i = 0; i < kPage / 8; i += 8)
    if (words[i] | words[i + 1] | words[i + 2] | words[i + 3] | words[i + 4] | words[i + 5] | words[i + 6] | words[i + 7]) return false;
  return true;
}

uint64_t private_bytes(pid_t pid) {
  return (strtoull(status_field(living_thread(pid), "RssAnon").c_str(), nullptr, 10) + strtoull(status_field(living_thread(pid), "VmSwap").c_str(), nullptr, 10)) << 10;
}

}  // namespace

bool is_free(const std::vector<Region> &regions, uint64_t base) {
  return std::none_of(regions.begin(), regions.end(), [&](const Region &r) { return r.end > base && r.start < base + kRegionSize; });
}

bool PreCopy::begin(Tracee &tracee) {
  if (private_bytes(o_.pid) < kFewest) return why_not_ = "it is small", false;
  if (o_.lazy) return why_not_ = "what it has not touched there follows when it does (--lazy)", false;
  if (reads_past_the_cache(o_.pid)) return why_not_ = "it reads files past the page cache (O_DIRECT)", false;
  std::string error;
  int uffd = -1;
  for (int tries = 0; uffd < 0; ++tries) {
    if (tries == kStopTries) return why_not_ = "it was not found in a state it can be taken from", false;
    if (tries) usleep(kStopPause);
    tracee.may_nudge = tries < kNudgedTries;
    bool stands = tracee.stop(error, o_.timeout_ms / 3) && tracee.read_threads(error) && !tracee.unsettled();
    uint64_t made = 0, ignored = 0;
    const uint64_t flags[6] = {DirtyPages::kUffdFlags, 0, 0, 0, 0, 0};
    // A call of which the stop has left a part undone would end with that part were it let go now: it goes along as it is.
    for (const Thread &t : tracee.threads()) held_ = held_ || (stands && t.done > 0);
    if (held_) return why_not_ = "it was in the middle of a transfer", false;
    stands = stands && tracee.call(SYS_userfaultfd, flags, made, error);
    if (stands && int64_t(made) < 0) {
      tracee.resume_all();
      return why_not_ = std::string("its changes cannot be watched (userfaultfd: ") + strerror(int(-int64_t(made))) + ")", false;
    }
    if (stands) {
      uffd = copy_descriptor(o_.pid, tracee.threads()[0].tid, int(made));
      o_.dies_at(Fault::mover_dies_watching);
      const uint64_t closes[6] = {made, 0, 0, 0, 0, 0};
      tracee.call(SYS_close, closes, ignored, error);
    }
    tracee.resume_all();
    if (stands && uffd < 0) return why_not_ = "its changes cannot be watched (pidfd_getfd)", false;
  }
  live_ = dirty_.open(o_.pid, uffd);
  if (!live_) why_not_ = "the kernel of this node cannot watch changes (Linux 6.7 can)";
  return live_;
}

bool is_large(pid_t pid) { return private_bytes(pid) >= kLarge; }

int PreCopy::run() {
  if (channels_.streams)
    if (int error = go_over(kStreams)) return error;
  if (o_.fails(Fault::stream_cut)) shutdown(streams_.back(), SHUT_RDWR);
  if (int error = copy_rounds()) return error;
  return channels_.streams ? go_over(1) : 0;
}

// Both ends turn to the first then.
int PreCopy::go_over(size_t streams) {
  RecordHeader header{Record::streams, uint32_t(streams - 1), 0};
  if (int error = send_all(&header, sizeof header)) return error;
  streams_.resize(1);
  for (size_t i = 1; i < streams; ++i) streams_.push_back(channels_.spares[i - 1]);
  turn_ = 0;
  return 0;
}

int PreCopy::copy_rounds() {
  uint64_t before = 0, changed = 0;
  int64_t changing = 0, lasted = 0;
  for (int64_t last = clock_ns(CLOCK_MONOTONIC); copied_.rounds < kRoundsMax;) {
    uint64_t bytes = 0;
    if (int error = copy_round(bytes)) return error;
    if (o_.fails(Fault::copy_cut)) shutdown(streams_[0], SHUT_RDWR);
    const int64_t now = clock_ns(CLOCK_MONOTONIC), took = now - last;
    told_ = now;
    // What a round finds has changed while the one before it was sent.
    if (copied_.rounds) changed += bytes, changing += lasted;
    if (changing > 0) copied_.dirty_rate = uint64_t(double(changed) * 1e9 / double(changing));
    lasted = took;
    ++copied_.rounds;
    say_phase("copying");
    if (reads_past_the_cache(o_.pid)) {
      live_ = false;
      why_not_ = "it reads files past the page cache (O_DIRECT)";
      return 0;
    }
    if (bytes <= kLittle || (before && double(bytes) > kShrinks * double(before))) break;
    before = bytes;
    last = now;
  }
  return 0;
}

int PreCopy::copy_round(uint64_t &bytes) {
  const std::vector<Region> regions = read_regions(o_.pid, false);
  if (!is_free(regions, base_)) return kPlaceTaken;
  for (const Region &r : regions)
    if (travels_early(r))
      if (int error = copy_region(r, bytes)) return error;
  return 0;
}

int PreCopy::copy_region(const Region &r, uint64_t &bytes) {
  std::vector<PageRun> runs;
  bool all = !dirty_.watches(r.start, r.end);
  if (all) {
    if (!dirty_.watch(r.start, r.end)) return 0;           // gone meanwhile, or of a kind that cannot be
    if (int error = stage(r)) return error;
  }
  for (uint64_t at = r.start; at < r.end;) {
    runs.clear();
    if (!dirty_.take(at, r.end, all, kRunMax, runs)) {     // another mapping stands in its place: next round
      dirty_.unwatch(r.start, r.end);
      return 0;
    }
    if (runs.empty()) continue;
    bool whole = true;
    // Only in the first round nothing of it can be there: later the other side may have what stood in the same place before.
    if (int error = send_runs(runs, all && !copied_.rounds, bytes, whole)) return error;
    if (!whole) dirty_.unwatch(r.start, r.end);            // what could not be read counts as changed, and all else with it
    if (!whole) return 0;
  }
  return 0;
}

// The other side maps what it has not mapped for an earlier round.
int PreCopy::stage(const Region &r) {
  struct { RecordHeader header; Mapping mapping; } record{{Record::stage, 1, sizeof(Mapping)}, {r.start, r.end, 0, r.name == "[stack]" ? Kind::stack : Kind::anon, 0, 0, 0}};
  return send_all(&record, sizeof record);
}

// As many pages at once as stay in the processor's cache, from wherever they are. Pages of zeros need not be sent where the other side has them by
// nature. `whole`: all could be read.
int PreCopy::send_runs(const std::vector<PageRun> &runs, bool may_skip_zeros, uint64_t &bytes, bool &whole) {
  alignas(kPage) static char part[kPart];
  PageRun pieces[kRunsMax];
  iovec from[kRunsMax];
  size_t count = 0, size = 0;
  auto flush = [&] {
    if (!count) return 0;
    iovec into{part, size};
    for (size_t i = 0; i < count; ++i) from[i] = {reinterpret_cast<void *>(pieces[i].address), pieces[i].length};
    if (process_vm_readv(living_thread(o_.pid), &into, 1, from, count, 0) != ssize_t(size)) return whole = false, 0;
    bytes += size;
    int error = send_part(part, pieces, count, may_skip_zeros);
    count = size = 0;
    return error;
  };
  for (const PageRun &run : runs)
    for (uint64_t done = 0; done < run.length && whole;) {
      const uint64_t length = std::min<uint64_t>(kPart - size, run.length - done);
      pieces[count++] = {run.address + done, length};
      size += length;
      done += length;
      if (count == kRunsMax || size == kPart)
        if (int error = flush()) return error;
    }
  return whole ? flush() : 0;
}

// One record, of the pieces that lie one behind another in `part`.
int PreCopy::send_part(const char *part, const PageRun *pieces, size_t count, bool may_skip_zeros) {
  PageRun runs[kRunsMax];
  iovec iov[2 + kRunsMax];
  size_t used = 0, size = 0;
  for (size_t i = 0; i < count; part += pieces[i++].length)
    for (size_t at = 0; at < pieces[i].length;) {
      size_t end = at;
      if (may_skip_zeros && is_zero(part + at)) {
        at += kPage;
        continue;
      }
      while (end < pieces[i].length && !(may_skip_zeros && is_zero(part + end))) end += kPage;
      if (used == kRunsMax) {
        if (int error = send_record(runs, iov, used, size)) return error;
        used = size = 0;
      }
      runs[used] = {pieces[i].address + at, end - at};
      iov[2 + used++] = {const_cast<char *>(part) + at, end - at};
      size += end - at;
      at = end;
    }
  return used ? send_record(runs, iov, used, size) : 0;
}

int PreCopy::send_record(PageRun *runs, iovec *iov, size_t count, size_t size) {
  if (const int64_t now = clock_ns(CLOCK_MONOTONIC); now - told_ > 1'000'000'000) told_ = now, say_phase("copying");
  if (o_.packs && packing_.asks(copied_.pages * kPage)) ask_link();
  while (count && packing_.wants(size))
    if (int error = send_packed(runs, iov, count, size)) return error;
  if (!count) return 0;
  const size_t table = count * sizeof(PageRun);
  RecordHeader header{Record::pages, uint32_t(count), table + size};
  iov[0] = {&header, sizeof header};
  iov[1] = {runs, table};
  copied_.bytes += sizeof header + table + size;
  copied_.pages += size / kPage;
  return send_parts(iov, 2 + count);
}

void PreCopy::ask_link() {
  uint8_t info[Packing::kInfoSize];
  socklen_t length = sizeof info;
  Packing::Rate rate;
  for (int fd : streams_)
    if (!getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) && length == sizeof info) rate.add(info);
  packing_.hear(rate);
}

// A piece from the front of it, packed if that saves enough.
int PreCopy::send_packed(PageRun *&runs, iovec *&iov, size_t &count, size_t &size) {
  alignas(8) static char piece[kPackedMax];
  static uint8_t packed[kPackedMax];
  static lz4::Table table;
  PageRun some[kPackedMax / kPage];
  size_t pieces = 0, filled = 0;
  while (count && filled < kPackedMax) {
    const size_t part = std::min<size_t>(kPackedMax - filled, runs->length);
    iovec &from = iov[2];
    memcpy(piece + filled, from.iov_base, part);
    some[pieces++] = {runs->address, part};
    filled += part;
    runs->address += part;
    runs->length -= part;
    from = {static_cast<char *>(from.iov_base) + part, from.iov_len - part};
    if (!runs->length) ++runs, ++iov, --count;
  }
  size -= filled;
  const int64_t began = clock_ns(CLOCK_MONOTONIC);
  const uint32_t n = lz4::pack(reinterpret_cast<uint8_t *>(piece), uint32_t(filled), packed, uint32_t(filled - filled / kPackedWorth), table);
  packing_.tried(uint32_t(filled), n, uint64_t(clock_ns(CLOCK_MONOTONIC) - began));
  const size_t runs_size = pieces * sizeof(PageRun), length = n ? n : filled;
  RecordHeader header{n ? Record::packed : Record::pages, uint32_t(pieces), runs_size + length};
  iovec parts[3] = {{&header, sizeof header}, {some, runs_size}, {n ? static_cast<void *>(packed) : piece, length}};
  copied_.bytes += sizeof header + runs_size + length;
  copied_.pages += filled / kPage;
  copied_.saved += filled - length;
  return send_parts(parts, 3);
}

int PreCopy::send_parts(iovec *iov, size_t count) {
  msghdr message{};
  message.msg_iov = iov;
  message.msg_iovlen = count;
  while (message.msg_iovlen) {
    const ssize_t sent = sendmsg(streams_[turn_], &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return failure();
    for (size_t left = size_t(sent); message.msg_iovlen;) {
      const size_t n = std::min(left, message.msg_iov->iov_len);
      message.msg_iov->iov_base = static_cast<char *>(message.msg_iov->iov_base) + n;
      message.msg_iov->iov_len -= n;
      left -= n;
      if (message.msg_iov->iov_len) break;
      ++message.msg_iov;
      --message.msg_iovlen;
    }
  }
  turn_ = (turn_ + 1) % streams_.size();
  return 0;
}

int PreCopy::send_all(const void *data, size_t size) {
  for (auto *at = static_cast<const char *>(data); size;) {
    const ssize_t n = send(streams_[turn_], at, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure();
    at += n;
    size -= size_t(n);
  }
  turn_ = (turn_ + 1) % streams_.size();
  return 0;
}

// The other side may have said why it takes no more.
int PreCopy::failure() {
  const int error = errno;
  RecordHeader word{};
  pollfd p{streams_[0], POLLIN, 0};
  while (poll(&p, 1, 100) == 1 && recv(streams_[0], &word, sizeof word, MSG_DONTWAIT) == ssize_t(sizeof word))
    if (word.type == Record::fail && word.count && word.count < 4096) return int(word.count);
  return error == EAGAIN ? ETIMEDOUT : error;
}

}  // namespace mosrun
