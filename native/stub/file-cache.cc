#include "file-cache.h"

namespace mosrun {

namespace {

constexpr unsigned kWays = 8, kSets = kCacheBlocks / kWays;

struct Key {
  u64 one, two;
  bool operator==(const Key &other) const { return one == other.one && two == other.two; }
};

// Of one block of a file. Odd versions: it is being written, by a process that may have died of it; then it is nobody's any more.
struct Entry {
  volatile u32 version;
  u32 pages;                                                 // bit i: the block's page i is here
  Key key;
  u64 used;
};
struct Cache {
  volatile u64 clock;
  Entry entries[kCacheBlocks];
};
static_assert(sizeof(Cache) <= kCacheHead && kCacheBlocks % kWays == 0 && kBlockPages <= 32);

Cache &cache() { return *pointer<Cache>(base() + kCacheOffset); }
uint8_t *bytes_of(const Entry &e) { return pointer<uint8_t>(base() + kCacheOffset + kCacheHead + u64(&e - cache().entries) * kCacheBlock); }

// Of a multiplication all 128 bits count (as in wyhash and others of its kind).
u64 mix(u64 a, u64 b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xd1b54a32d192ed03);
  return u64(product) ^ u64(product >> 64);
}

Key key_of(const FileIdentity &f, u64 block) {
  const u64 words[] = {f.device, f.number, f.size, u64(f.changed), u64(f.changed_ns), block};
  Key key{0x243f6a8885a308d3, 0x13198a2e03707344};
  for (u64 word : words) key.one = mix(key.one, word), key.two = mix(word + 0xa4093822299f31d0, key.two);
  return key;
}

struct Place { Key key; Entry *set; unsigned page; };        // page: within the block

bool find_place(const Mapping &m, u64 page, Place &place) {
  const Control &c = control();
  if (!c.has_cache || !m.object || m.object > c.files_known) return false;
  const u64 number = m.at + (page - m.start) / kPage;
  place.key = key_of(c.files[m.object - 1], number / kBlockPages);
  place.set = cache().entries + place.key.one % kSets * kWays;
  place.page = unsigned(number % kBlockPages);
  return true;
}

Entry *find_entry(const Place &place, u32 &version) {
  for (Entry *e = place.set; e < place.set + kWays; ++e) {
    version = load(&e->version);
    if (!(version & 1) && e->key == place.key) return e;
  }
  return nullptr;
}

// Bytes of a block that have been looked at are not to count as this process's memory.
void let_go(uint8_t *at, u64 length) {
  constexpr u64 dontneed = 4;
  sys(nr_madvise, address(at), length, dontneed);
}

void touch(Entry &e) { e.used = __atomic_add_fetch(&cache().clock, 1, __ATOMIC_RELAXED); }

bool try_write(Entry &e) {
  u32 version = load(&e.version);
  return !(version & 1) && __atomic_compare_exchange_n(&e.version, &version, version + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

}  // namespace

bool is_cached(const Mapping &m, u64 page) {
  Place place{};
  u32 version;
  const Entry *e = find_place(m, page, place) ? find_entry(place, version) : nullptr;
  return e && (e->pages >> place.page & 1);
}

bool cached(const Mapping &m, u64 page, u64 start, u64 end, uint8_t *to, u64 &from, u64 &until) {
  Place place{};
  u32 version;
  Entry *e = find_place(m, page, place) ? find_entry(place, version) : nullptr;
  if (!e) return false;
  const u32 pages = e->pages;
  if (!(pages >> place.page & 1)) return false;
  const unsigned low = place.page - unsigned((page - start) / kPage), high = place.page + unsigned((end - page) / kPage);
  unsigned first = place.page, last = place.page + 1;
  while (first > low && (pages >> (first - 1) & 1)) --first;
  while (last < high && (pages >> last & 1)) ++last;
  uint8_t *const bytes = bytes_of(*e) + first * kPage;
  copy(to, bytes, (last - first) * kPage);
  let_go(bytes, (last - first) * kPage);
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  if (load(&e->version) != version) return false;             // somebody has written to it meanwhile
  touch(*e);
  from = page - (place.page - first) * kPage;
  until = page + (last - place.page) * kPage;
  return true;
}

void keep(const Mapping &m, u64 start, u64 length, const uint8_t *bytes) {
  Place place{};
  if (!find_place(m, start, place)) return;
  const u32 count = u32(length / kPage), pages = u32(((1ull << count) - 1) << place.page);
  u32 version;
  Entry *e = find_entry(place, version);
  if (!e) {
    for (Entry *one = place.set; one < place.set + kWays; ++one)
      if (!(load(&one->version) & 1) && (!e || one->used < e->used)) e = one;
  } else if ((e->pages & pages) == pages) {
    return;
  }
  if (!e || !try_write(*e)) return;
  if (!(e->key == place.key)) e->pages = 0, e->key = place.key;
  uint8_t *const to = bytes_of(*e) + place.page * kPage;
  copy(to, bytes, length);
  let_go(to, length);
  e->pages |= pages;
  touch(*e);
  add(&e->version, 1);
}

u32 know_file(const FileIdentity &f) {
  Control &c = control();
  for (u32 i = 0; i < c.files_known; ++i)
    if (same(c.files[i], f)) return i + 1;
  if (c.files_known == kFilesKnown) return 0;
  c.files[c.files_known++] = f;
  return c.files_known;
}

}  // namespace mosrun
