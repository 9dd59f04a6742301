// The guest's clocks. The program calls the functions of its home kernel's vdso, at the addresses it has always known; their code is replaced by
// jumps to the functions below, which ask the hosting kernel's vdso (moved into the stub's region) and correct what differs.
// The time namespace makes monotonic and boottime those of home; CLOCK_REALTIME is corrected here by the measured offset.
//
// These functions run in the program's own context: no stack switch, no floating point. A thread that is to be stopped inside them is stepped out
// of them first (deliver.cc), so that their addresses never travel.
#include "stub.h"

namespace mosrun {

namespace {

struct ElfHeader { uint8_t ident[16]; uint16_t type, machine; u32 version; u64 entry, phoff, shoff; u32 flags; uint16_t ehsize, phentsize, phnum; };
struct ProgramHeader { u32 type, flags; u64 offset, vaddr, paddr, filesz, memsz, align; };
struct Dynamic { u64 tag, value; };
struct Symbol { u32 name; uint8_t info, other; uint16_t section; u64 value, size; };

// The image of a vdso at [at, end). That of home came over the wire.
struct Image {
  u64 at, end;
  // Never null where it is said to be `count` things of type T.
  template <class T> const T *get(u64 where, u64 count = 1) const {
    return where >= at && where <= end && count <= (end - where) / sizeof(T) && where % alignof(T) == 0 ? pointer<const T>(where) : nullptr;
  }
};

bool same(const Image &image, u64 at, const char *name) {
  for (;; ++at, ++name) {
    auto *c = image.get<char>(at);
    if (!c || *c != *name) return false;
    if (!*name) return true;
  }
}

// The last chain of the GNU table tells the number: DT_HASH is gone from the vdso since Linux 6.7 on some architectures.
u32 gnu_count(const Image &image, u64 table) {
  auto *head = image.get<u32>(table, 4);
  if (!head) return 0;
  u64 buckets_at = table + 16 + head[2] * 8ull, chain_at = buckets_at + head[0] * 4ull;
  auto *buckets = image.get<u32>(buckets_at, head[0]);
  u32 last = 0;
  for (u32 b = 0; buckets && b < head[0]; ++b) last = maximum(last, buckets[b]);
  if (last < head[1] || !last) return 0;
  for (;; ++last) {
    auto *chain = image.get<u32>(chain_at + (last - head[1]) * 4ull);
    if (!chain) return 0;
    if (*chain & 1) return last + 1;
  }
}

// Calls visit(address of the name, address) for each function the image exports.
template <class Visit> void each_function(const Image &image, Visit visit) {
  auto *elf = image.get<ElfHeader>(image.at);
  if (!elf || elf->ident[0] != 0x7f || elf->ident[1] != 'E') return;
  u64 bias = image.at, dynamic = 0;
  for (unsigned i = 0; i < elf->phnum; ++i) {
    auto *ph = image.get<ProgramHeader>(image.at + elf->phoff + i * u64(elf->phentsize));
    if (!ph) return;
    if (ph->type == 1) bias = image.at + ph->offset - ph->vaddr;
    if (ph->type == 2) dynamic = image.at + ph->offset;
  }
  u64 strings = 0, symbols = 0, hash = 0, gnu_hash = 0;
  for (const Dynamic *d; (d = image.get<Dynamic>(dynamic)) && d->tag; dynamic += sizeof *d) {
    if (d->tag == 5) strings = bias + d->value;
    if (d->tag == 6) symbols = bias + d->value;
    if (d->tag == 4) hash = bias + d->value;
    if (d->tag == 0x6ffffef5) gnu_hash = bias + d->value;
  }
  auto *table = image.get<u32>(hash, 2);
  u32 count = table ? table[1] : gnu_count(image, gnu_hash);
  for (u32 i = 0; i < count; ++i) {
    auto *s = image.get<Symbol>(symbols + i * sizeof(Symbol));
    if (!s) return;
    if ((s->info & 15) == 2 && s->section) visit(strings + s->name, bias + s->value, s->size);
  }
}

}  // namespace

using ClockFunction = i64 (*)(u64, TimeSpec *);
constexpr u32 kShared = 1 << 0 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 11;      // the clocks that a vdso serves

BLOB_CLOCK i64 clock_clock_gettime(u64 clock, TimeSpec *out) {
  Control &c = control();
  if (u32(clock) > 11 || !(kShared >> clock & 1) || !c.vdso_clock_gettime) return sys(nr_clock_gettime, clock, address(out));
  i64 result = reinterpret_cast<ClockFunction>(c.vdso_clock_gettime)(clock, out);
  if (clock == 0 || clock == 5 || clock == 11) {
    i64 ns = out->nanoseconds + c.realtime_offset % 1000000000;
    i64 s = out->seconds + c.realtime_offset / 1000000000;
    if (ns < 0) ns += 1000000000, --s;
    if (ns >= 1000000000) ns -= 1000000000, ++s;
    out->seconds = s;
    out->nanoseconds = ns;
  }
  return result;
}
BLOB_CLOCK i64 clock_gettimeofday(TimeSpec *out, u64 zone) {
  if (zone) return sys(96, address(out), zone);
  if (!out) return 0;
  TimeSpec t;
  i64 result = clock_clock_gettime(0, &t);
  out->seconds = t.seconds;
  out->nanoseconds = t.nanoseconds / 1000;
  return result;
}
BLOB_CLOCK i64 clock_time(i64 *out) {
  TimeSpec t;
  clock_clock_gettime(0, &t);
  if (out) *out = t.seconds;
  return t.seconds;
}
BLOB_CLOCK i64 clock_getcpu(u64 cpu, u64 node, u64 unused) { return sys(309, cpu, node, unused); }
BLOB_CLOCK i64 clock_clock_getres(u64 clock, u64 out) { return sys(229, clock, out); }
// Its per-thread state belongs to the home kernel's layout: the caller falls back to getrandom(2).
BLOB_CLOCK i64 clock_getrandom(u64 to, u64 size, u64 flags, u64, u64 state_size) { return state_size == ~0ull ? -ENOSYS_ : sys(nr_getrandom, to, size, flags); }

namespace {

// Clocks of processor time, and those of others, are for a system call, which is the program's own: it is caught. So it is made here, not in the stub.
void patch_clock(u64 at, u64 target) {
  Control &c = control();
  const u32 shared = c.vdso_clock_gettime ? kShared : 0;
  uint8_t code[kClockCode] = {
    0x83, 0xff, 0x0b, 0x77, 0x16,                      // cmp $11, %edi; ja call
    0xb8, 0, 0, 0, 0, 0x0f, 0xa3, 0xf8, 0x73, 0x0c,    // mov $shared, %eax; bt %edi, %eax; jnc call
    0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0,    // movabs $target, %rax; jmp *%rax
    0xb8, nr_clock_gettime, 0, 0, 0, 0x0f, 0x05, 0xc3, // call: mov $nr, %eax; syscall; ret
  };
  copy(code + 6, &shared, sizeof shared);
  copy(code + 17, &target, sizeof target);
  copy(pointer<void>(at), code, sizeof code);
  c.vdso_clock = at;
}

}  // namespace

void patch_vdso(u64 home_vdso, u64 guest_vdso) {
  Control &c = control();
  if (guest_vdso) {
    Image image{guest_vdso, base() + kVdsoOffset + kVdsoSize};
    each_function(image, [&](u64 name, u64 at, u64) {
      if (same(image, name, "__vdso_clock_gettime")) c.vdso_clock_gettime = at;
    });
  }
  if (!home_vdso) return;
  Image image{home_vdso, c.vdso_end};
  sys(nr_mprotect, home_vdso, c.vdso_end - home_vdso, prot_read | prot_write);
  each_function(image, [&](u64 name, u64 at, u64 size) {
    auto is = [&](const char *one, const char *other) { return same(image, name, one) || same(image, name, other); };
    u64 target = 0;
    if (is("__vdso_clock_gettime", "clock_gettime")) {
      target = address(&clock_clock_gettime);
      if (size >= kClockCode && image.get<uint8_t>(at, kClockCode)) return patch_clock(at, target);
    }
    else if (is("__vdso_gettimeofday", "gettimeofday")) target = address(&clock_gettimeofday);
    else if (is("__vdso_time", "time")) target = address(&clock_time);
    else if (is("__vdso_getcpu", "getcpu")) target = address(&clock_getcpu);
    else if (is("__vdso_clock_getres", "clock_getres")) target = address(&clock_clock_getres);
    else if (is("__vdso_getrandom", "getrandom")) target = address(&clock_getrandom);
    uint8_t jump[12] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0};   // movabs $target, %rax; jmp *%rax
    if (!target || !image.get<uint8_t>(at, sizeof jump)) return;
    copy(jump + 2, &target, 8);
    copy(pointer<void>(at), jump, sizeof jump);
  });
  sys(nr_mprotect, home_vdso, c.vdso_end - home_vdso, prot_read | prot_exec);
}

}  // namespace mosrun
