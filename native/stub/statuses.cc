// Guest: what is at the names of a directory. Who reads one often asks then of each of its names what is there (find, du; what looks for plugins):
// once the program has asked for two of them, or for most of those of the directory before, home is asked for more at a time, from the one that is wanted
// on, in the directory's order.
//
// The program is answered with that only as long as nothing can have happened that it could know of: its only thread has made no other call, no signal has
// come, and it was a moment ago. What home has looked at is in order: each later than what the program has been told before.
#include "marshal.h"
#include "read-ahead.h"
#include "syscalls.h"
#include "times.h"

namespace mosrun {

namespace {

constexpr u32 kNames = 1024, kNamesBytes = 32 << 10, kPath = 4096, kMost = 256, kFirst = 16, kMisses = 16, kResult = 8;
constexpr u64 kAtCwd = u64(-100), kNoFollow = 0x100, kNoAutomount = 0x800, kSync = 0x6000;   // AT_FDCWD, AT_SYMLINK_NOFOLLOW, AT_STATX_SYNC_TYPE

// fstatat(2) in one of its forms.
struct Question { u32 nr; u32 flags; u64 directory, mask, path, to; };

struct Listing {
  u32 by, count, last, misses;                               // slot; names; which was asked for last; questions for others since
  u32 begun, eager;                                          // there was one that could be the first of many; most of what was brought was wanted
  u32 many, next, asked;                                     // of the names that home has been asked for: when next; where the program is; so many
  u32 come;
  i64 at;
  Question as;                                               // all but path and place
  u32 before;                                                // length of what comes before the name
  uint16_t starts[kNames], guessed[kMost];
  char path[kPath];
  uint8_t names[kNamesBytes];                                // as getdents64(2) gives them
  uint8_t results[kMost * (kResult + 144)];
};
static_assert(sizeof(Listing) <= kListingSize);

Listing &listing() { return *pointer<Listing>(base() + kReadOffset + kReadSize - kLookMost - kListingSize); }
void set_listing(Listed now) { store(&control().listing, u32(now)); }

bool is_question(u32 nr, const u64 *a, Question &q) {
  switch (nr) {
    case syscalls::nr_stat: q = {syscalls::nr_newfstatat, 0, kAtCwd, 0, a[0], a[1]}; return true;
    case syscalls::nr_lstat: q = {syscalls::nr_newfstatat, u32(kNoFollow), kAtCwd, 0, a[0], a[1]}; return true;
    case syscalls::nr_newfstatat: q = {nr, u32(a[3]), u64(i64(i32(a[0]))), 0, a[1], a[2]}; break;
    case syscalls::nr_statx: q = {nr, u32(a[2]), u64(i64(i32(a[0]))), u32(a[3]), a[1], a[4]}; break;
    default: return false;
  }
  return !(q.flags & ~(kNoFollow | kNoAutomount | (nr == syscalls::nr_statx ? kSync : 0)));
}

struct Entry { u64 number; i64 behind; uint16_t length; uint8_t type; char name[]; };   // struct linux_dirent64
const Entry &entry(const Listing &l, u32 i) { return *pointer<Entry>(address(l.names) + l.starts[i]); }

bool is_same(const char *a, const char *b) {
  for (; *a && *a == *b; ++a, ++b) {}
  return *a == *b;
}
u64 length_of(const char *s) {
  u64 n = 0;
  while (s[n]) ++n;
  return n;
}

// Most ask in order.
u32 find(const Listing &l, const char *name) {
  for (u32 i = 0, at = l.begun ? l.last + 1 : 0; i < l.count; ++i, ++at) {
    if (at >= l.count) at = 0;
    if (is_same(entry(l, at).name, name)) return at;
  }
  return l.count;
}

// What home has said of it: null if it is not among them.
const uint8_t *known(Listing &l, u32 index) {
  for (u32 i = l.next; i < l.asked; ++i)
    if (l.guessed[i] == index) return l.next = i + 1, l.results + u64(i) * (kResult + status_bytes(l.as.nr));
  return nullptr;
}

// For home it is one request with all of them; the names lie where the thread's buffer has room for them. Fewer, and in the end none, if they are not
// wanted: of one name again and again, or with other calls between them.
bool ask(Slot *slot, Listing &l, u32 index) {
  constexpr uint8_t directory = 4, regular = 8, link = 10;   // DT_DIR, DT_REG, DT_LNK
  if (l.asked) l.many = 2 * l.next > l.asked ? minimum(l.many * 4, kMost) : l.many / 4;
  if (l.many < 2) return set_listing(Listed::none), false;
  const u32 each = kResult + status_bytes(l.as.nr), most = minimum<u32>(l.many, sizeof l.results / each);
  char *to = reinterpret_cast<char *>(buffer(slot));
  u64 used = l.before;
  copy(to, l.path, l.before);
  to[used++] = 0;
  l.asked = l.next = 0;
  for (u32 i = index; i < l.count && l.asked < most; ++i) {
    const Entry &e = entry(l, i);
    const bool own = e.name[0] == '.' && (!e.name[1] || (e.name[1] == '.' && !e.name[2]));
    // To follow a link that the program does not ask for would show in its time of access.
    if (i != index && (own || (e.type != directory && e.type != regular && (e.type != link || !(l.as.flags & kNoFollow))))) continue;
    const u64 length = length_of(e.name) + 1;
    copy(to + used, e.name, length);
    used += length;
    l.guessed[l.asked++] = uint16_t(i);
  }
  if (!l.asked) return false;
  l.come = 0;
  l.at = now();
  Request r{};
  r.magic = kRequestMagic;
  r.after = after_behind(slot);
  r.op = Op::statuses;
  r.nr = uint16_t(l.as.nr);
  r.flags = kNotWaitedFor;
  r.in_size = u32(used);
  r.out_size = l.asked * each;
  r.args[0] = l.as.directory;
  r.args[1] = l.as.flags;
  r.args[2] = l.as.mask;
  if (used > kSmallRequest) take_windows(slot);
  slot->windows[slot->windows_waiting++] = {0, kStatuses, r.out_size, 0, 0, 0, 0};
  IoVec in[2] = {{address(&r), sizeof r}, {address(to), used}};
  if (send_all(slot->channel, in, 2)) guest_dies(Ending::disconnected);
  take_windows(slot);
  if (!l.come && load(&control().listing) != u32(Listed::never)) set_listing(Listed::none);
  return l.come;
}

}  // namespace

void age_listing() {
  if (load(&control().listing) == u32(Listed::statuses)) set_listing(Listed::names);
}

void may_be_listed(const Slot *slot, u64 from, i64 length) {
  Control &c = control();
  if (length <= 0 || slot->process != &c.process || c.process.threads != 1 || load(&c.listing) == u32(Listed::never)) return;
  Lock lock(&c.read_lock);
  set_listing(Listed::none);
  if (!make_read_room()) return;
  Listing &l = listing();
  const u64 n = minimum<u64>(u64(length), kNamesBytes);
  if (copy_program(l.names, pointer<void>(from), n)) return;
  l.by = slot->index;
  if (l.asked) l.eager = 2 * l.next > l.asked;
  l.count = l.begun = l.misses = l.asked = 0;
  for (u64 at = 0; l.count < kNames && at + sizeof(Entry) <= n;) {
    const u64 size = pointer<Entry>(address(l.names) + at)->length;
    if (size < sizeof(Entry) || at + size > n) break;        // an entry is as long at least, with its name and what pads it
    l.names[at + size - 1] = 0;                              // it is: the kernel pads them
    l.starts[l.count++] = uint16_t(at);
    at += size;
  }
  if (l.count > 2) set_listing(Listed::names);
}

bool serve_status(Slot *slot, u32 nr, const u64 *args, i64 &result) {
  Control &c = control();
  const u32 listed = load(&c.listing);
  if (listed == u32(Listed::none) || listed == u32(Listed::never) || slot->process != &c.process) return false;
  Question q{};
  char path[kPath];
  i64 n = 0;
  const bool asks = c.process.threads == 1 && is_question(nr, args, q) && (n = copy_string(reinterpret_cast<uint8_t *>(path), q.path, sizeof path)) > 1 && u64(n) < sizeof path;
  const u32 bytes = status_bytes(q.nr);
  if (!asks || q.to >> 47 || touch_range(q.to, bytes, true) != bytes) {
    if (!is_quiet(nr)) age_listing();
    return false;
  }
  Lock lock(&c.read_lock);
  Listing &l = listing();
  const bool fresh = load(&c.listing) == u32(Listed::statuses);   // which a page that came meanwhile has ended
  age_listing();                                             // until it is known better
  u32 before = u32(n - 1);
  while (before && path[before - 1] != '/') --before;
  const u32 index = l.by == slot->index ? find(l, path + before) : l.count;
  if (index == l.count) {
    if (++l.misses > kMisses) set_listing(Listed::none);
    return false;
  }
  l.misses = 0;
  l.last = index;
  path[before] = 0;
  const bool same_kind = l.as.nr == q.nr && l.as.flags == q.flags && l.as.mask == q.mask;
  const bool as_before = l.begun && same_kind && l.as.directory == q.directory && l.before == before && is_same(l.path, path);
  if (!as_before) {
    l.as = q;
    l.before = before;
    copy(l.path, path, before + 1);
    l.begun = 1;
    l.many = kFirst;
    l.asked = 0;
    if (!same_kind || !l.eager) return false;
  }
  const uint8_t *said = fresh && now() - l.at < kJust && !slot->drops ? known(l, index) : nullptr;
  if (!said) {
    if (slot->drops || slot->process->want_park || slot->windows_waiting == kReadWindows || !ask(slot, l, index)) return false;
    said = known(l, index);
  }
  i64 status = -EIO_;
  if (said) copy(&status, said, kResult);
  if ((status && status != -ENOENT_) || (!status && write_program(slot, q.to, said + kResult, bytes))) return false;
  set_listing(Listed::statuses);
  result = status;
  return true;
}

void take_statuses(Slot *slot) {
  Listing &l = listing();
  const u32 length = slot->windows[0].length;
  Reply reply{};
  if (receive_all(slot->channel, &reply, sizeof reply)) guest_dies(Ending::disconnected);
  if (reply.out_size > length || reply.out_size != (reply.result > 0 ? u64(reply.result) : 0)) guest_dies(Ending::nonsense);
  if (reply.out_size && receive_all(slot->channel, l.results, reply.out_size)) guest_dies(Ending::disconnected);
  if (reply.flags & kDrop) slot->drops = 1;
  l.come = reply.out_size == length;
  if (reply.result == -ENOSYS_) set_listing(Listed::never);
  end_window(slot);
}

}  // namespace mosrun
