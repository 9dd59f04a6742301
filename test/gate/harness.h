// A mosgate of our own in a temporary directory, and a client that plays mosd, mover and home at once.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "guest.h"
#include "stub/wire.h"

constexpr uint64_t kBase = 0x300000000000;
constexpr uint64_t kBuffer = kBase + mosrun::kSlotsOffset + mosrun::kBufferOffset;
int data_port();                // of its own, so that two runs do not meet
constexpr pid_t kPid = 23456;   // what the program is called at home

double now_ms();
bool wait_for(double ms, bool (*condition)(void *), void *argument);
// What is to come about, however busy the machine is; what is to be quick is timed apart.
constexpr double kSoon = 5000;
double at_once();               // what is quick: 100 ms where there is a processor for everybody, and the longer the more wait for one
template <class F>
bool within(double ms, F condition) {
  return wait_for(ms, [](void *f) { return (*static_cast<F *>(f))(); }, &condition);
}

extern std::string directory;   // of the running test's mosgate
pid_t start_gate();             // in the foreground; its control socket answers
void stop_gate(pid_t pid, int signal);
int run_gate();                 // a second one: its exit status

struct ControlClient {
  int fd = -1;
  std::string input;
  std::vector<std::string> events;
  ControlClient();
  ~ControlClient();
  std::string ask(const std::string &command);          // the answer; events are kept
  std::string read_line(int ms);
  bool event(const std::string &part, int ms);
};

struct Token {
  uint8_t bytes[32];
  std::string hex() const;
};
Token token_of(int seed);
std::string session_name(uint64_t session);

struct Opening {
  uint64_t session = 1;
  Token token = token_of(1);
  mosrun::ChannelKind kind = mosrun::ChannelKind::thread;
  uint16_t index = 0;
  mosrun::Begin begin = {};
  uint32_t seal = 0;            // the number of the mosseal to go over
};
mosrun::Begin begin_for(pid_t pid);
int connect_data();
int connect_seal(uint32_t number);
bool read_exactly(int fd, void *data, size_t size, int ms);
bool closed_within(int fd, int ms);
// Hello, Challenge, Proof. The socket, or -1. Welcome is not read.
int open_channel(const Opening &opening, mosrun::Challenge *challenge = nullptr);
// And Welcome: its status, or -1.
int welcome(int fd, int ms = 5000);

struct Guest {
  int fd = -1, event = -1;
  uint64_t session = 0;
  GuestAnswer last = {};
  // Opens the session and starts the guest; `with_event` opens an event channel before.
  Guest(ControlClient &control, uint64_t session, bool with_event = true, const std::string &extra = "", uint32_t fault = 0);
  Guest() = default;
  ~Guest();
  bool say(GuestWhat what, const std::vector<uint64_t> &call, const std::string &take = "", std::string *give = nullptr);
  int64_t call(const std::vector<uint64_t> &call) { return say(GuestWhat::inside, call) ? last.result : -100000; }
  int64_t outside(const std::vector<uint64_t> &call) { return say(GuestWhat::outside, call) ? last.result : -100000; }
  int64_t path_call(const std::string &path, const std::vector<uint64_t> &call);   // the path is at kBuffer
  bool put(const std::string &data);
  std::string get(size_t size);
};

// Only what this test's own mosgate started: a machine may run others, with guests of the same names, and those are nobody's business here.
std::vector<pid_t> keepers();
std::vector<pid_t> husks();
std::string read_text(const std::string &path);
inline bool nobody_left() { return keepers().empty() && husks().empty(); }
bool has(const std::string &text, const std::string &part);
