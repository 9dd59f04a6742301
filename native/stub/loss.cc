// Home: the guest is gone, and with it the program's memory. The process ends, and its user is told why, once; the status is 128 + SIGKILL.
#include "stub.h"
#include "text.h"

namespace mosrun {

namespace {

constexpr u32 kTelling = 1, kTold = 2;
constexpr i64 kPatience = 1000;                              // ms for the other node's last word

// All of the guest's channels end with it, one a moment before the other; the threads that notice must not end the process before one of them has
// said why.
[[noreturn]] void end(const Text &text) {
  Control &c = control();
  if (text.length) sys(nr_write, 2, address(text.bytes), text.length);
  store(&c.lost, kTold);
  for (;;) {
    sys(nr_kill, u64(c.pid), 9);
    sys(nr_exit_group, 137);
  }
}

bool first_to_notice() {
  Control &c = control();
  block_all_signals();
  u32 nobody = 0;
  if (__atomic_compare_exchange_n(&c.lost, &nobody, kTelling, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return true;
  TimeSpec pause{0, 1000000};
  for (i64 i = 0; i < 2 * kPatience && load(&c.lost) == kTelling; ++i) sys(nr_nanosleep, address(&pause), 0);
  return false;
}

Text begin() {
  Text text;
  text.put("mosrun: process ");
  text.put(u32(control().pid));
  text.put(" is lost: ");
  return text;
}

// How its guest ended, if its keeper there still could say so: wait(2)'s status.
int farewell() {
  int event = control().event;
  Farewell word{};
  if (event < 0 || wait_readable(event, kPatience) <= 0) return 0;
  i64 n = sys(nr_recvfrom, u64(event), address(&word), sizeof word, msg_dontwait, 0, 0);
  return n == i64(sizeof word) && word.magic == kFarewellMagic ? word.status : 0;
}

const char *reason(Ending ending) {
  switch (ending) {
    case Ending::no_thread: return "the node it ran on had no room for another thread";
    case Ending::no_process: return "the node it ran on had no room for another process";
    case Ending::no_pool: return "the node it ran on had no descriptor for it";
    case Ending::no_watch: return "the node it ran on could not watch its memory (userfaultfd)";
    case Ending::no_maps: return "its memory could not be listed on the node it ran on";
    case Ending::nonsense: return "the node it ran on could not understand its home";
    case Ending::failed: case Ending::disconnected: break;
  }
  return "the connection to the node it ran on broke";
}

}  // namespace

[[noreturn]] void lose(const char *why) {
  if (!first_to_notice()) end({});
  Text text = begin();
  text.put(why);
  text.put("\n");
  end(text);
}

[[noreturn]] void lose_connection() {
  if (!first_to_notice()) end({});
  Text text = begin();
  int status = farewell(), signal = status & 0x7f, code = status >> 8 & 0xff;
  if (signal) {
    text.put("it was ended on the other node by signal ");
    text.put(u32(signal));
    text.put(signal == 9 ? ", for want of memory or by hand" : "");
  } else if (code >= int(Ending::failed)) {
    text.put("mosrun's own code failed on the other node, by signal ");
    text.put(u32(code - int(Ending::failed)));
  } else {
    text.put(reason(Ending(code)));
  }
  text.put("\n");
  end(text);
}

}  // namespace mosrun
