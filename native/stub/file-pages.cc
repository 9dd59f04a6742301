// Guest: pages of files' mappings, and those that were left at home, which come from there when they are touched, a stretch at a time. Where the program goes through a file in order, the
// stretches behind are on their way while it works on this one, as in reading ahead: they lie in the socket until it touches them, or asks home for
// anything else.
#include "book.h"
#include "file-cache.h"
#include "times.h"

namespace mosrun {

namespace {

constexpr u64 kStretch = kCacheBlock;
constexpr u64 kStretchPages = kStretch / kPage;

uint8_t *room(Slot *slot) { return buffer(slot) + kBufferSize - kStretch; }   // a request that is being made (marshal.cc) does not reach so far

// The lock of the mappings, which this thread may hold already.
class MappingsLock {
 public:
  explicit MappingsLock(bool waits) : had_(Lock::is_mine(&control().lock)), has_(had_) {
    if (had_) return;
    if (waits) Lock::take(&control().lock), has_ = true;
    else has_ = Lock::try_take(&control().lock);
  }
  ~MappingsLock() {
    if (has_ && !had_) Lock::release(&control().lock);
  }
  MappingsLock(const MappingsLock &) = delete;
  MappingsLock &operator=(const MappingsLock &) = delete;
  bool has() const { return has_; }

 private:
  bool had_, has_;
};

bool find_lazy(u64 at, Mapping &m) {
  const Mapping *found = find_in_book(at, at + 1, is_lazy);
  return found && (m = *found, true);
}

// How many pages of [start, end) are here: counted from the end of it, to the first that is not.
u64 pages_before(u64 start, u64 end) {
  uint8_t here[kReadWindows * kStretchPages];
  if (start == end || sys(nr_mincore, start, end - start, address(here))) return 0;
  u64 n = 0;
  for (u64 i = (end - start) / kPage; i && here[i - 1]; --i) ++n;
  return n;
}

Request request_of(const Slot *slot, const Mapping &m, u64 start, u64 end, u32 flags) {
  Request r{};
  r.after = after_behind(slot);
  r.magic = kRequestMagic;
  r.op = Op::fetch;
  r.flags = flags;
  r.out_size = u32(end - start);
  r.args[0] = start;
  r.args[1] = end - start;
  // What was left there may be of any protection by now; home's gets the program's when that is back.
  r.args[2] = is_left(m) || !(m.prot & prot_read);
  r.args[3] = is_left(m) ? u32(prot_read | prot_write) : m.prot;
  return r;
}

// So many stretches behind `next` are to be under way as there are before it without a gap: sends the requests for those that are not.
void ask_ahead(Slot *slot, const Mapping &m, u64 next, u32 generation) {
  Control &c = control();
  if (c.no_pages_ahead || slot->process != &c.process || slot->process->want_park) return;
  const u64 depth = pages_before(maximum(m.start, next - minimum(next, kReadWindows * kStretch)), next) / kStretchPages;
  u64 under_way = 0;
  for (u32 i = 0; i < slot->windows_waiting; ++i) {
    const Window &w = slot->windows[i];
    if (w.file || w.at != next) continue;
    next += w.length;
    ++under_way;
  }
  Request requests[kReadWindows];
  u32 count = 0;
  for (; under_way < depth && slot->windows_waiting < kReadWindows && next < m.end; ++under_way) {
    const u64 end = minimum(m.end, block_start(m, next) + kStretch);
    if (is_cached(m, next) || pages_before(next, end) * kPage == end - next) break;
    requests[count++] = request_of(slot, m, next, end, kNotWaitedFor);
    slot->windows[slot->windows_waiting++] = {next, 0, u32(end - next), 0, 0, 0, generation};
    next = end;
  }
  if (count && send_all(slot->channel, requests, count * sizeof(Request))) guest_dies(Ending::disconnected);
}

// With the lock held: has what is mapped in [start, end) been the same since that generation?
bool is_as_it_was(u64 start, u64 end, u32 generation) {
  const Control &c = control();
  const u32 first = generation / 2, changes = c.mappings_changed / 2 - first + (c.mappings_changed & 1);   // one that was begun then counts
  if (changes > kChangesKnown) return false;
  for (u32 i = 0; i < changes; ++i) {
    const auto &change = c.changes[(first + i) % kChangesKnown];
    if (change.start < end && start < change.end) return false;
  }
  return true;
}

enum class Put { all, not_wanted, too_late };

// Pages that have come, into their places, unless what is mapped there has changed since they were asked for: then they are too late, and not what home
// has. not_wanted: the one at `wanted` is not among them, or there is no such place.
Put put(Slot *slot, u64 start, u64 length, u32 generation, u64 wanted, bool waits, bool from_home = true) {
  const Control &c = control();
  const u64 total = align_up(length, kPage);
  uint8_t *bytes = room(slot);
  zero(bytes + length, total - length);
  MappingsLock lock(waits);
  if (!lock.has() || !is_as_it_was(start, start + total, generation)) return Put::too_late;
  Mapping m{};
  const bool keeps = from_home && find_lazy(start, m);
  u64 step = total;                                                     // one page at a time where the stretch is not one mapping any more
  for (u64 done = 0; done < total;) {
    struct { u64 to, from, length, mode; i64 copied; } ask{start + done, address(bytes) + done, minimum(step, total - done), 0, 0};
    i64 result = sys(nr_ioctl, u64(c.uffd), 0xc028aa03, address(&ask));   // UFFDIO_COPY
    if (ask.copied > 0) result = ask.copied;
    if (result == 0) result = i64(ask.length);
    if (result > 0) {
      // Where no page was, home has none of the program's own: those have come with it.
      if (keeps) keep(m, start + done, u64(result), bytes + done);
      done += u64(result);
    }
    else if (result == -EEXIST_) done += kPage;                         // another thread was first, or it is the program's own copy
    else if (result == -EAGAIN_) continue;
    else if (step > kPage) step = kPage;
    else if (start + done == wanted) return Put::not_wanted;
    else done += kPage;
  }
  return wanted - start < total ? Put::all : Put::not_wanted;
}

// Waits for one stretch. 0: there is no such page.
u64 fetch(Slot *slot, const Mapping &m, u64 start, u64 end) {
  Request r = request_of(slot, m, start, end, 0);
  IoVec in[1], out[1] = {{address(room(slot)), kStretch}};
  Reply reply{};
  i64 n = exchange(slot, r, in, 1, out, 1, reply);
  if (n > i64(r.out_size) || (n > 0 && reply.out_size != u64(n))) guest_dies(Ending::nonsense);   // no home says that
  if (reply.flags & kSignalWaits) slot->signal_waits = 1;
  return n > 0 ? u64(n) : 0;
}

// Under way, and not known to be too late: as far as can be told without the lock.
bool is_coming(const Slot *slot, u64 page) {
  for (u32 i = 0; i < slot->windows_waiting; ++i) {
    const Window &w = slot->windows[i];
    if (!w.file && page - w.at < w.length && is_as_it_was(w.at, w.at + w.length, w.generation)) return true;
  }
  return false;
}

Put take(Slot *slot, u64 wanted, bool waits) {
  Window w = slot->windows[0];
  Reply reply{};
  if (receive_all(slot->channel, &reply, sizeof reply)) guest_dies(Ending::disconnected);
  if (reply.out_size > w.length || reply.out_size != (reply.result > 0 ? u64(reply.result) : 0)) guest_dies(Ending::nonsense);
  if (reply.flags & kDrop) slot->drops = 1;
  if (reply.result == -ENOSYS_) control().no_pages_ahead = 1;
  if (reply.out_size && receive_all(slot->channel, room(slot), reply.out_size)) guest_dies(Ending::disconnected);
  end_window(slot);
  return reply.out_size ? put(slot, w.at, reply.out_size, w.generation, wanted, waits) : Put::not_wanted;
}

// One try. too_late: another thread has mapped something else there meanwhile.
Put bring(Slot *slot, u64 at) {
  const u32 generation = load(&control().mappings_changed);             // what is in the book later is no older
  const u64 page = align_down(at, kPage);
  Mapping m{};
  if (!find_lazy(at, m)) {
    MappingsLock lock(true);                                            // another thread may just have been moving the entries
    if (!find_lazy(at, m)) return Put::not_wanted;
  }
  u64 start = maximum(m.start, block_start(m, page)), end = minimum(m.end, block_start(m, page) + kStretch);
  if (u64 from, until; cached(m, page, start, end, room(slot), from, until)) return put(slot, from, until - from, generation, page, true, false);
  while (is_coming(slot, page)) {
    const Window w = slot->windows[0];
    if (w.file) {
      take_first_window(slot);
    } else if (take(slot, page, true) == Put::all) {
      ask_ahead(slot, m, w.at + w.length, generation);
      return Put::all;
    }
  }
  u64 n = fetch(slot, m, start, end);
  if (start + n <= page) {
    if (start == page) return Put::not_wanted;
    start = page;                                                       // the stretch begins beyond a hole: only the page itself
    if (!(n = fetch(slot, m, page, page + kPage))) return Put::not_wanted;
  }
  const Put done = put(slot, start, n, generation, page, true);
  if (done == Put::all && start + n == end) ask_ahead(slot, m, end, generation);
  return done;
}

}  // namespace

void take_pages(Slot *slot) { take(slot, ~0ull, false); }

// A page of a file's mapping, or one that was left at home, is touched for the first time. False if there is no such page (beyond the end of the file): the
// program gets its SIGBUS.
bool fetch_page(Slot *slot, u64 at) {
  const u32 left = load(&control().left_changed), mapped = load(&control().mappings_changed);
  Put done = bring(slot, at);
  const bool has_left = control().has_left;
  if (done == Put::too_late || (has_left && done == Put::not_wanted)) {   // the next time nobody changes it
    MappingsLock lock(true);
    done = bring(slot, at);
    Mapping m;
    // Meanwhile it was brought, or given up, and is not watched any more. That is seen at the second fault at the latest.
    if (has_left && done == Put::not_wanted && !find_lazy(at, m) && (left != control().left_changed || mapped != control().mappings_changed || slot->faulted_at != at)) return slot->faulted_at = at, true;
  }
  return done != Put::not_wanted;
}

}  // namespace mosrun
