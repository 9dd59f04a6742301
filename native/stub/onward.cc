// Home: a process that is away moves on to another node, without passing here: its memory goes from the one node to the other. The deputy is the judge
// of where it runs. Until the next node's guest has said that it does, the one it has can go on; from then on it is told to end, by its channels' end.
//
//   mover            deputy                      guest                     next node
//     order ───────▶ │── event: on ───────────▶ │ parks
//     descriptors ─▶ │◀──────────── park, sent ─│── state, memory ───────▶ │ builds itself
//                    │◀─────────────────────────────────────────── ready ──│
//                    │── go ──────────────────────────────────────────────▶│
//                    │◀───────────────────────────────────────── running ──│ runs
//     ◀──── running ─│ commit ── end ──────────▶ │ ends
#include "stub.h"

namespace mosrun {

namespace {

void close_spares(Spare (&spares)[kSpares]) {
  for (Spare &s : spares)
    if (s.fd >= 0) sys(nr_close, u64(s.fd)), s.fd = -1;
}

void close_next() {
  Control &c = control();
  for (u32 i = 0; i < c.slots; ++i) {
    Slot *s = slot_at(i);
    if (s->next_channel >= 0) sys(nr_close, u64(s->next_channel)), s->next_channel = -1;
  }
  if (c.next.event >= 0) sys(nr_close, u64(c.next.event)), c.next.event = -1;
  close_spares(c.next.spares);
}

bool have_all() {
  Control &c = control();
  if (c.next.event < 0 || c.next.first >= c.slots || slot_at(c.next.first)->next_channel < 0) return false;
  for (u32 i = 0; i < c.slots; ++i)
    if (slot_at(i)->state == u32(SlotState::used) && slot_at(i)->next_channel < 0) return false;
  return true;
}

// The next node says when it is ready; the present one says before that how its sending went.
i64 await_next(Slot *slot, int next, int socket, Sent &got) {
  Control &c = control();
  for (bool sent = false;;) {
    struct { int fd; int16_t events, revents; } ready[2] = {{next, 1, 0}, {sent ? -1 : slot->channel, 1, 0}};
    TimeSpec patience{i64(c.timeout_ms) / 1000, i64(c.timeout_ms) % 1000 * 1000000};
    i64 n = sys(nr_ppoll, address(ready), 2, sent ? address(&patience) : 0, 0, 8);   // both nodes bound their own waits for each other
    if (n == -EINTR_) continue;
    if (n <= 0) return n ? n : -ETIMEDOUT_;
    if (ready[0].revents) return await_ready(next, got, c.timeout_ms);
    Request word{};
    if (i64 error = receive_all(slot->channel, &word, sizeof word)) return error;
    if (word.magic != kRequestMagic || word.op != Op::dump) return -EPROTO_;
    if (failed(i64(word.args[0]))) return i64(word.args[0]);
    sent = true;
    report(socket, Report::sent, 0, got);
  }
}

void commit(const Sent &got) {
  Control &c = control();
  Stay &next = c.next;
  for (u32 i = 0; i < c.slots; ++i) {
    Slot *s = slot_at(i);
    if (s->state == u32(SlotState::used)) {
      sys(nr_close, u64(s->channel));
      s->channel = s->next_channel;
      s->next_channel = -1;
    }
  }
  sys(nr_close, u64(c.event));
  close_spares(c.spares);
  c.event = next.event;
  c.session = next.session;
  copy(c.token, next.token, sizeof c.token);
  zero(next.token, sizeof next.token);
  c.gate_address = next.gate_address;
  c.gate_port = next.gate_port;
  c.spare_serial = next.spare_serial;
  c.seal = next.seal;
  copy(c.spares, next.spares, sizeof c.spares);
  next.event = -1;
  for (Spare &s : next.spares) s.fd = -1;
  close_next();                                                          // the channel of a first thread that has ended: only the move needed it
  c.statistics.migrations++;
  c.statistics.freeze_ns = u64(now()) - c.frozen_at;
  c.statistics.moved_bytes = got.bytes;
  c.statistics.moved_pages = got.pages;
  c.statistics.moved_saved = got.saved;
}

i64 negotiate(Slot *slot, int socket, i64 error, Sent &got) {
  Control &c = control();
  if (i64 failure = receive_descriptors(socket, true)) return failure;
  if (error) return error;
  if (!have_all()) return -EAGAIN_;
  int next = slot_at(c.next.first)->next_channel;
  set_timeout(next, c.timeout_ms, true);
  set_timeout(next, c.timeout_ms, false);
  if ((error = await_next(slot, next, socket, got))) return error;
  report(socket, Report::ready, 0, got);
  if ((error = let_run(next, c.timeout_ms))) return error;
  set_timeout(next, 0, true);
  set_timeout(next, 0, false);
  return 0;
}

}  // namespace

void settle_move(Slot *slot, i64 error) {
  Control &c = control();
  wait_for_deputies();
  int socket;
  Sent got{};
  i64 failure;
  {
    WideLimit wide;
    failure = meet_mover(socket);
    if (failure) store(&c.failed, u32(-failure));                        // for a mover that waits for the socket
    else failure = negotiate(slot, socket, error, got);
  }
  if (failure) close_next();
  else commit(got);
  if (socket < 0) store(&c.failed, u32(-failure));                       // the mover waits for it
  report(socket, failure ? Report::failed : Report::running, -failure, got);
  leave_mover(socket);
  c.parked = 0;
  c.return_error = int32_t(-failure);
  add(failure ? &c.given_up : &c.moved_on, 1);
  store(&c.phase, u32(Phase::away));
  futex_wake(&c.phase);
}

}  // namespace mosrun
