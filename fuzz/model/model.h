// A kernel for the stub, without effects: memory is a table of mappings, a channel is the fuzzer's input. It checks what the stub asks: nothing
// that comes over a channel may make it touch its own code, control data or descriptors, or memory that nobody mapped.
#pragma once
#include <setjmp.h>

#include <string>
#include <vector>

#include "stub/stub.h"
#include "syscalls.h"

namespace mosrun::model {

// Some of the program's memory is real; of the rest only the mappings are kept.
constexpr u64 kWindow = 0x300000000000;
constexpr u64 kWindowSize = 1 << 20;
constexpr int kChannel = 1000, kEvent = 1001, kProc = 1002, kSpare = 1003, kFreshDescriptor = 1100;
constexpr int kMaps = 30, kPagemap = 31, kUffd = 32, kPool = 33, kKeeper = 34;
constexpr int kWindowFirst = 1000, kWindowEnd = 2000;

enum class End { returned, exited, killed, resumed, patience };

// The first bytes of every input: how the kernel behaves.
struct Manner {
  uint8_t portion;        // the most that one recvmsg brings, in units of 16 bytes; 0: all
  uint8_t interruptions;  // every so many calls that wait is interrupted; 0: none
  uint8_t results;        // what calls that the deputy makes come to
  uint8_t end;            // what follows the input: 0 an end of file, else an error
  uint8_t variant;        // for the target
  uint8_t pad[3];
};
static_assert(sizeof(Manner) == 8);

struct Range {
  u64 start, end;
  u32 prot;
  bool grows;
};

struct World {
  Manner manner{};
  const uint8_t *input = nullptr;
  size_t left = 0;
  Side side = Side::home;
  std::vector<Range> mappings;
  std::string maps;                       // what /proc/self/maps says; empty: of the mappings
  u64 held = 0, held_end = 0;             // what the program does not unmap
  unsigned steps = 0, waits = 0;
  i64 time = 1000000000;
  int descriptors = kFreshDescriptor;     // the next that is made
  std::vector<int> own;                   // those the stub has open
  u32 slot = 0;                           // of the thread that runs
  u64 arena_used = 0, arena_live = 0, arena_last = 0;
  u64 answers = 0;
  std::vector<uint8_t> sent;
  bool keep_sent = false;
  bool building = false;                  // the husk's own memory may still be taken apart
  bool window_only = false;               // no memory elsewhere
  u64 brk = 0x10000000;
  Request asked{};                        // the last request that came
  u64 asked_at = 0;               // where one is being received
};
extern World world;

[[noreturn]] void violation(const char *what, u64 a = 0, u64 b = 0);
inline void require(bool holds, const char *what, u64 a = 0, u64 b = 0) {
  if (!holds) violation(what, a, b);
}
[[noreturn]] void finish(End end);

// A fresh world for an input; false if it is too short to say how the kernel behaves.
bool begin(Side side, const uint8_t *data, size_t size);
// Runs `body` until it returns or the thread ends.
template <class Body> End run(Body body);
extern jmp_buf ending;
extern char *stack_top;
extern volatile End how;

void add_mapping(u64 start, u64 end, u32 prot, bool grows = false);
bool overlaps_region(u64 start, u64 length);
uint8_t take_byte();
bool is_slot_mapped(u64 index);
void set_up_slot(u32 index, int tid, int channel);

// --- seeds -------------------------------------------------------------------------------------------------------------------
class Bytes {
 public:
  explicit Bytes(Manner manner = {}) { put(manner); }
  template <class T> Bytes &put(const T &value) {
    text.append(reinterpret_cast<const char *>(&value), sizeof value);
    return *this;
  }
  Bytes &fill(size_t n, char c = 0) {
    text.append(n, c);
    return *this;
  }
  std::string text;
};

// What the control data name.
void own_descriptors();

template <class Body> End run(Body body) {
  own_descriptors();
  char here;
  stack_top = &here + 4096;
  how = End::returned;
  if (!setjmp(ending)) body();
  return how;
}

}  // namespace mosrun::model

// Of every target.
std::vector<std::string> seeds();
