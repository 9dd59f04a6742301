// Guest: all threads stand still, and the process goes home or on to another node. Until it runs there, it can go on here.
#include "times.h"

namespace mosrun {

namespace {

constexpr i64 kPatience = 10000;                                                // ms without progress

bool stays(const Mapping &m) { return (m.kind == Kind::file_private && !(m.flags & kWritten)) || m.kind == Kind::file_shared || m.kind == Kind::vdso; }

}  // namespace

// What the guest has now, pieces that lie at home marked as the book has them. For home: kWritten where pages travel, kLazy where it has others still.
u64 list_mappings(Mapping *list, bool for_home) {
  Control &c = control();
  auto *book = pointer<Mapping>(base() + kBookOffset);
  u64 count = read_mappings(c.advised ? c.long_maps : c.maps, list, kListMax - 2 * minimum(c.book_entries, kFilesMax));
  if (!count) guest_dies(Ending::no_maps);
  u64 kept = 0;
  for (u64 i = 0; i < count; ++i) {                                             // the guest's own vsyscall page
    if (list[i].end > 1ull << 47) continue;
    list[kept++] = list[i];
  }
  count = kept;
  for (u64 i = 0; i < count; ++i) list[i].flags = uint16_t((list[i].flags & kAdvised) | (for_home ? kWritten : 0));
  for (u64 i = 0; i < count; ++i) {
    Mapping *b = nullptr;
    for (u64 j = 0; j < c.book_entries; ++j)
      if (book[j].start < list[i].end && list[i].start < book[j].end && (!b || book[j].start < b->start)) b = &book[j];
    if (!b) continue;
    u64 start = maximum(b->start, list[i].start), end = minimum(b->end, list[i].end);
    Mapping whole = list[i];
    u64 pieces = u64(whole.start < start) + 1 + u64(end < whole.end);
    for (u64 k = count; k > i + 1; --k) list[k - 1 + pieces - 1] = list[k - 1];
    u64 at = i;
    if (whole.start < start) list[at] = whole, list[at++].end = start;
    Mapping piece = *b;
    cut_front(piece, start);
    list[at] = whole;
    list[at].start = start;
    list[at].end = end;
    list[at].kind = b->kind;
    list[at].object = b->object;
    list[at].at = piece.at;
    if (!for_home) list[at].flags = uint16_t((whole.flags & kAdvised) | (b->flags & ~kAdvised));
    else if (stays(*b)) list[at].flags &= uint16_t(~kWritten);
    else list[at].flags |= b->flags & (is_left(*b) ? kLazy : kAlias);
    if (end < whole.end) list[at + 1] = whole, list[at + 1].start = end;
    count += pieces - 1;
    i = at;
  }
  return count;
}

namespace {

// The kernel gives up a thread's share of the memory after clearing its tid word and walking its robust list (exit_mm in kernel/exit.c). Its number
// tells less: a first thread keeps it until the process ends.
bool has_memory(int tid) {
  uint8_t byte;
  IoVec local{address(&byte), 1}, remote{base(), 1};
  return sys(nr_process_vm_readv, u64(tid), address(&local), 1, address(&remote), 1, 0) != -ESRCH_;
}

// Threads that have said goodbye may still be on their way out: the kernel has yet to clear their tid words and wake who waits for them.
void wait_for_ended_threads(Process *p) {
  Control &c = control();
  for (u32 i = 0; i < c.slots; ++i)
    while (slot_at(i)->state == u32(SlotState::dying) && slot_at(i)->process == p && sys(nr_tgkill, u64(p->pid), u64(slot_at(i)->tid), 0) == 0 && has_memory(slot_at(i)->tid))
      sys(nr_sched_yield);
}

i64 send_all_pages(int channel, const Mapping *list, u64 count, bool for_home, bool live, Sent &sent) {
  Control &c = control();
  for (u64 i = 0; i < count; ++i) {
    const Mapping &m = list[i];
    if (m.kind == Kind::other || (for_home && !(m.flags & kWritten)) || shown_before(list, i)) continue;
    if (sent.pages && fails(Fault::dump_silent)) return 0;
    if (sent.pages && fails(Fault::dump_cut_at_pages)) return sys(nr_shutdown, u64(channel), 2), -EPIPE_;
    if (!(m.prot & prot_read)) sys(nr_mprotect, m.start, m.end - m.start, prot_read);
    i64 error = live && m.kind == Kind::anon && !is_left(m) ? send_changes(channel, c.pagemap, m.start, m.end, buffer(this_slot()), sent)
                : m.flags & kAlias ? send_cached_pages(channel, m.start, m.end, buffer(this_slot()), sent)
                                 : send_pages(channel, c.pagemap, m.start, m.end, true, buffer(this_slot()), sent);
    if (!(m.prot & prot_read)) sys(nr_mprotect, m.start, m.end - m.start, m.prot);
    if (error) return error;
  }
  return send_record(channel, Record::end, 0, nullptr, 0);
}

// All of the memory, for home, which has the mappings. What fails here home sees by itself. `of_child`: as fork(2) gives it to a child.
i64 dump_home(Slot *slot, int channel, bool of_child = false) {
  Control &c = control();
  wait_for_ended_threads(slot->process);
  auto *list = pointer<Mapping>(base() + kListOffset);
  u64 count = list_mappings(list, true);
  u64 kept = of_child ? 0 : count;
  for (u64 i = 0; of_child && i < count; ++i) {
    if (list[i].flags & kDontFork) continue;
    if (list[i].flags & kWipeOnFork) list[i].flags &= uint16_t(~kWritten);
    list[kept++] = list[i];
  }
  count = kept;
  const bool live = !of_child && copied_ahead(c.stage_at_home);
  Request r{};
  r.magic = kRequestMagic;
  r.op = Op::dump;
  r.args[0] = u64(sys(nr_brk, 0));
  r.args[1] = c.frozen_at;
  Sent sent{};
  i64 error = fails(Fault::dump_cut_at_start) ? sys(nr_shutdown, u64(channel), 2), -EPIPE_ : send_all(channel, &r, sizeof r);
  if (!error) error = send_record(channel, Record::mappings, u32(count), list, count * sizeof(Mapping));
  return error ? error : send_all_pages(channel, list, count, true, live, sent);
}

constexpr int kProcess = 0, kThread = 1;                                // RUSAGE_SELF, RUSAGE_THREAD
void used_here(int who, u64 *microseconds) {
  i64 usage[18] = {};                                                   // begins with two struct timeval
  sys(nr_getrusage, u64(who), address(usage));
  for (int i = 0; i < 2; ++i) microseconds[i] = u64(usage[2 * i] * 1000000 + usage[2 * i + 1]);
}

// All of the process, for the next node, which has nothing of it: the same records that home sends a first one (leave.cc).
i64 dump_on(Slot *slot, int channel) {
  Control &c = control();
  wait_for_ended_threads(slot->process);
  auto *list = pointer<Mapping>(base() + kListOffset);
  u64 count = list_mappings(list, false);
  if (count > kBookMax) return -ENOMEM_;
  const bool live = copied_ahead(slot->process->memory);
  c.mm.brk = u64(sys(nr_brk, 0));
  if (c.realtime_at) c.realtime_at = u64(now(clock_realtime) + c.realtime_offset);
  const u64 cpu = c.process_cpu_base, earlier[2] = {c.earlier[0], c.earlier[1]};
  u64 here[2];
  used_here(kProcess, here);
  c.process_cpu_base += u64(now(clock_process_cpu));
  for (int i = 0; i < 2; ++i) c.earlier[i] += here[i];
  Sent sent{};
  i64 error = fails(Fault::dump_cut_at_start) ? sys(nr_shutdown, u64(channel), 2), -EPIPE_ : send_state(channel, c.process.threads);
  c.process_cpu_base = cpu;
  copy(c.earlier, earlier, sizeof earlier);
  if (!error) error = send_record(channel, Record::mappings, u32(count), list, count * sizeof(Mapping));
  return error ? error : send_all_pages(channel, list, count, false, live, sent);
}

i64 send_registers(Slot *slot, Request &r) {
  r.magic = kRequestMagic;
  r.op = Op::park;
  tell_times(slot, r);
  r.in_size = u32(sizeof *slot + slot->frame_length);
  IoVec iov[3] = {{address(&r), sizeof r}, {address(slot), sizeof *slot}, {address(saved_frame(slot)), slot->frame_length}};
  return send_all(slot->channel, iov, 3);
}

// A channel home for the memory alone, so that what happens to it on the way does not cut the threads off. Called when all stand still.
Spare channel_home(Slot *slot) {
  Spare spare{-1, 0};
  Trap trap{slot, nullptr, false};
  Lock lock(&control().lock);
  if (fails(Fault::dump_no_spare) || !take_spare(trap, spare)) return {-1, 0};
  set_timeout(spare.fd, kPatience, true);
  return spare;
}

// The channel to the next node comes over the pool, before home gives its order.
int channel_on(Process *p) {
  Control &c = control();
  if (p != &c.process || fails(Fault::dump_no_spare)) return -1;                // a vfork child's memory is its parent's
  Lock lock(&c.lock);
  Spare &onward = c.onward[0];
  while (onward.fd < 0 || onward.index / kStreams != p->memory) {
    PoolMessage message{};
    int fd;
    if (next_in_pool(message, fd, 5000)) return -1;
    if (fd < 0 || message.kind == ChannelKind::memory) continue;
    if (message.kind != ChannelKind::spare || message.owner != p->pid || !keep_spare({fd, message.index})) sys(nr_close, u64(fd));
  }
  int fd = onward.fd;
  onward.fd = -1;
  set_timeout(fd, kPatience, true);
  return fd;
}

// Home could not take it. Every thread hears so on its own channel; none goes on before all have, so that they are counted anew at the next order.
void stay_away(Process *p) {
  if (!__atomic_exchange_n(&p->staying, 1u, __ATOMIC_ACQ_REL)) store(&p->want_park, 0);
  if (add(&p->parked, -1u) == 0) {
    store(&p->staying, 0);
    futex_wake(&p->staying);
  }
  while (load(&p->staying)) futex_wait(&p->staying, 1, 20000000);
}

void save_registers(Slot *slot, const Context *context) {
  Frame *frame = saved_frame(slot);
  auto *fp = pointer<uint8_t>(context->regs.fpstate);
  u32 size = fp ? xstate_size(fp) : 0;
  if (at_native_futex(context->regs)) slot->begun_ip = context->regs.ip + 2;
  frame->restorer = 0;
  frame->context = *context;
  frame->context.regs.flags &= ~kTrapFlag;
  if (fp) copy(reinterpret_cast<uint8_t *>(frame) + kXstateInFrame, fp, minimum<u64>(size, kFrameSize - kXstateInFrame));
  frame->context.regs.fpstate = fp ? address(frame) + kXstateInFrame : 0;
  slot->frame_length = kXstateInFrame + size;
  slot->fs_base = read_fs();
  slot->gs_base = read_gs();
  slot->cpu_here = u64(now(clock_thread_cpu));
  used_here(kThread, slot->here);
}

}  // namespace

// The thread's registers go home. If the process then runs somewhere else, the channel ends and this process with it; if not, the thread goes on
// here. The program's clear_child_tid and robust list need nothing: the kernel of this node has them.
void park(Slot *slot, Context *context) {
  Control &c = control();
  Process *p = slot->process;
  leave_reads(slot);
  save_registers(slot, context);
  if (!slot->index || !c.frozen_at) c.frozen_at = u64(now());
  bool last;
  {
    Lock lock(&c.lock);                                                         // threads begin and end under it
    if (!p->parked) c.frozen_at = u64(now());
    last = add(&p->parked, 1) == p->threads;
  }
  if (last && !have_own_files()) guest_dies(Ending::no_maps);
  bool on = last && p->want_park == kOn;
  Request r{};
  r.args[0] = last;
  Spare memory{-1, 0};
  if (on) memory.fd = channel_on(p);
  else if (last) memory = channel_home(slot);
  r.args[1] = memory.index;
  r.args[2] = on;
  r.args[3] = on && memory.fd < 0 ? u64(ENOLINK_) : 0;
  if (send_registers(slot, r)) guest_dies(Ending::disconnected);
  if (on && memory.fd >= 0) {
    Request sent{};
    sent.magic = kRequestMagic;
    sent.op = Op::dump;
    sent.args[0] = u64(dump_on(slot, memory.fd));
    if (send_all(slot->channel, &sent, sizeof sent)) guest_dies(Ending::disconnected);
  } else if (last && !on) {
    if (dump_home(slot, memory.fd >= 0 ? memory.fd : slot->channel) && memory.fd < 0) guest_dies(Ending::disconnected);
  }
  Reply verdict{};
  if (receive_all(slot->channel, &verdict, sizeof verdict) || verdict.result != kStayAway) guest_dies(Ending::disconnected);
  if (memory.fd >= 0) sys(nr_close, u64(memory.fd));
  if (last && p == &c.process) end_copying();
  stay_away(p);
}

// Home has made the child, and this node has no room for its guest: what the guest would be comes home from here, at once. What fails, home tells.
void send_copy_home(Slot *image) {
  control().frozen_at = u64(now());
  Request r{};
  Reply reply{};
  r.magic = kRequestMagic;
  r.op = Op::come_home;
  r.args[0] = nr_fork;
  set_timeout(image->channel, kPatience, true);                                 // it may be stopped there, and others wait for the lock
  set_timeout(image->channel, kPatience, false);
  if (!have_own_files() || send_all(image->channel, &r, sizeof r) || receive_all(image->channel, &reply, sizeof reply)) return;
  r.args[0] = 1;
  if (!send_registers(image, r)) dump_home(image, image->channel, true);
}

}  // namespace mosrun
