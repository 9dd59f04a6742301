// Inside of the deputy: what its parts share. deputy.cc takes and answers requests, home-calls.cc makes the program's calls, home-threads.cc its
// threads, children and programs.
#pragma once
#include "stub.h"

namespace mosrun {

// A request's bytes: in the slot's buffer if they fit, else in a mapping of their own that goes when the call is done.
struct Space {
  uint8_t *in = nullptr, *out = nullptr;
  u64 start = 0, mapped = 0;

  bool open(Slot *slot, const Request &r) {
    u64 in_size = r.in_size, out_size = r.out_size, in_align = r.in_align & 511, out_align = r.out_align & 511;
    if (r.flags & kCut) return open_cut(in_size, out_size);
    u64 in_room = align_up(in_align + in_size, 512), need = in_room + out_align + out_size;
    in = buffer(slot);
    if (need > kBufferSize) {
      Lock lock(&control().lock);
      i64 at = sys(nr_mmap, 0, need, prot_read | prot_write, map_private | map_anonymous, u64(-1), 0);
      if (failed(at)) {
        WithoutLimits lifted;
        at = sys(nr_mmap, 0, need, prot_read | prot_write, map_private | map_anonymous, u64(-1), 0);
      }
      if (failed(at)) return false;
      note(u64(at), need);
      in = pointer<uint8_t>(start);
    }
    out = in + in_room + out_align;
    in += in_align;
    return true;
  }
  // Each buffer ends where no memory is.
  bool open_cut(u64 in_size, u64 out_size) {
    constexpr u64 gap = 256 << 10;
    u64 in_room = align_up(in_size, kPage), out_room = align_up(out_size, kPage), need = in_room + gap + out_room + gap;
    Lock lock(&control().lock);
    i64 at = sys(nr_mmap, 0, need, prot_none, map_private | map_anonymous, u64(-1), 0);
    if (failed(at)) return false;
    note(u64(at), need);
    if (in_room && sys(nr_mprotect, start, in_room, prot_read | prot_write)) return false;
    if (out_room && sys(nr_mprotect, start + in_room + gap, out_room, prot_read | prot_write)) return false;
    in = pointer<uint8_t>(start + in_room - in_size);
    out = pointer<uint8_t>(start + in_room + gap + out_room - out_size);
    return true;
  }
  void close() {
    if (!mapped) return;
    Control &c = control();
    Lock lock(&c.lock);
    sys(nr_munmap, start, mapped);
    mapped = 0;
    for (auto &space : c.spaces)
      if (space[0] == start) return space[0] = space[1] = 0, void();
    c.spaces_more = c.spaces_more - 1;
  }

 private:
  // Memory that comes home ahead must not be put into it.
  void note(u64 at, u64 size) {
    Control &c = control();
    start = at;
    mapped = size;
    for (auto &space : c.spaces)
      if (!space[0]) return space[0] = at, space[1] = at + size, void();
    ++c.spaces_more;
  }
};

struct Status {                                              // struct stat of x86_64
  u64 device, number, links;
  u32 mode, user, group, pad;
  u64 special;
  i64 size, block, blocks, read, read_ns, written, written_ns, changed, changed_ns, rest[3];
};
static_assert(sizeof(Status) == 144);
constexpr unsigned kFilesystemWords = 15;                // of struct statfs, whose first is its type

void answer(Slot *slot, i64 result, const void *out = nullptr, u64 length = 0, u32 flags = 0);
bool resolve(const Request &r, Space &space, u64 *args, u64 *nested_limit);   // offsets of a request become addresses; false: it names others
i64 guard_descriptors(const Request &r);                 // the channels are none of the program's

// Leases, fcntl(2). Whoever breaks one is told of to us.
enum : u64 { f_setown = 8, f_setsig = 10, f_setlease = 1024, f_getlease = 1025 };
constexpr i64 read_lease = 0, no_lease = 2;             // F_RDLCK, F_UNLCK
inline i64 take_lease(u64 fd) {
  sys(nr_fcntl, fd, f_setsig, kControlSignal);
  sys(nr_fcntl, fd, f_setown, u64(control().pid));
  return sys(nr_fcntl, fd, f_setlease, read_lease);
}
constexpr u64 kSysfs = 0x62656572;                       // statfs(2)
bool is_local(int fd);                                   // leases.cc
bool is_local(int fd, u64 (&filesystem)[kFilesystemWords]);   // and its struct statfs
bool may_read_ahead(int fd);
// An answer that the guest takes when it wants it, perhaps never: so nothing is told by it that has to be heard.
void begin_unheard(Slot *slot);
Reply unheard_reply(i64 n);
void answer_unheard(Slot *slot, i64 n, const void *bytes);   // so many of them, or -errno
void fetch(Slot *slot, const Request &r, Space &space);  // home-pages.cc
bool identify(int fd, FileIdentity &file, bool &executes);   // executes: what is in it may be
bool may_map_again(u64 file);
bool is_in_place_of_system(u64 fd);
void lease(Slot *slot, const Request &r);
void read_ahead(Slot *slot, const Request &r, Space &space);
void statuses(Slot *slot, const Request &r, Space &space);   // home-statuses.cc
u64 look_at(int fd, u32 wanted, uint8_t *out, u64 room, u32 &flags);   // home-calls.cc; bytes for who has just opened it
void settle(Slot *slot, const Request &r, const Space &space);

i64 lease_mapped_file(u64 file, bool of_system);         // mapped-files.cc: a descriptor; 0: there is no need for it; or the mapping is not for a guest
void change_mapped_files(u64 start, u64 end, int leased);   // something else is there now, of that file if it is one
void watch_inherited_files();                            // of a child, or it comes home
void ignore_mapped_files();                              // their signals are none of ours, until they are watched again
bool maps_files();
bool is_mapped_file(int fd);                             // one of these descriptors

void call(Slot *slot, const Request &r, Space &space);   // home-calls.cc

bool may_write_behind(int fd);                           // home-writes.cc
void await_behind(u32 after);                            // that they are done
void call_unheard(Slot *slot, const Request &r, const Space &space);
void answer_behind(Slot *slot, i64 result);              // to what the guest does not wait for: it is done
i64 late_error(u32 nr, u64 fd);                          // what became of one, for this call to tell; 0: nothing
void tell_late_error(u64 fd);                            // it is told
void forget_late_errors(u32 nr, const u64 *args);        // their files have been closed
inline bool stands_still(u32 phase) { return phase == u32(Phase::returning) || phase == u32(Phase::moving); }
void view(Slot *slot, const Request &r, const Space &space);
void advice(Slot *slot);

void clone_thread(Slot *slot, const Request &r);         // home-threads.cc
void fork_process(Slot *slot, const Request &r);
void exec(Slot *slot, const Request &r, Space &space);
[[noreturn]] void end_thread(Slot *slot, int status);

}  // namespace mosrun
