// mosgate's parts. One process, one thread, one poll loop; nothing in it waits for a peer.
//
//   sessions.cc   what mosd opened: a keeper each, channels on their way to it, state files, control groups
//   arrivals.cc   the data port: unauthenticated connections and the handshake
//   control.cc    the control socket: commands and events
//   caches.cc     what is kept of files, for guests
//   sealing.cc    mosseal, through which encrypted connections come
//   mosgate.cc    start, loop, end
#pragma once
#include <poll.h>
#include <sys/types.h>

#include "array.h"
#include "caches.h"
#include "keeper.h"
#include "sockets.h"
#include "stub/wire.h"

namespace mosrun {

inline constexpr char kVersion[] = "0.1.0";
inline constexpr int64_t kOpenSeconds = 30;          // a session nobody comes to
inline constexpr unsigned kSessionsMax = 4096;
inline constexpr unsigned kArrivalsMax = 64;         // connections that have not proved anything
inline constexpr int64_t kCachesLook = 5 * kSecond;
inline constexpr int64_t kArrivalTime = 5 * kSecond;
inline constexpr int64_t kArrivalTimeCrowded = kSecond / 2;   // when all places are taken
inline constexpr unsigned kClientsMax = 16;
inline constexpr char kNoSeal[] = "mosseal, which encrypts, does not start: see mosctl doctor there, and the log of mosgate";
inline constexpr size_t kOutputMax = 4 << 20;        // answers a control client does not read: all sessions make a list of half of that

struct SealMessage;

enum class SessionState { preparing, open, arriving, running };

struct Outgoing {
  GateMessage message;
  int fd;
};

struct Session {
  uint64_t id = 0;
  double cpu_seconds = -1;     // of all its processes, when it has ended; negative: not known
  uint64_t cache = 0;          // the number of what is kept of files for it; 0: nothing is
  uint8_t *token = nullptr;    // 32 bytes in the table of tokens
  SessionState state = SessionState::preparing;
  bool adopted = false;        // of a mosgate before this one: its keeper is not our child
  bool ended = false;
  bool sealed = false;         // its channels come encrypted, or not at all
  bool frozen = false;         // kept on disk: its keeper is mosfreeze
  pid_t keeper = 0;
  pid_t home_pid = 0;
  int socket = -1;             // to the keeper
  int pidfd = -1;
  int64_t expires = 0;         // CLOCK_MONOTONIC ns; 0: never
  unsigned long asked_by = 0;  // control client whose `open` waits for the keeper
  bool made_cgroup = false;
  char cgroup[256] = {};
  char why[96] = {};
  Array<Outgoing> outgoing;
};

struct Arrival {
  int fd;
  int64_t since;
  bool said_hello;
  bool over;
  bool sealing;                // mosseal has it; `fd` is ours to hang up by
  bool sealed;                 // came through mosseal, with the key of `session`: for memory channels, or all others
  bool memory;
  uint64_t session;
  uint64_t number;             // as mosseal knows it
  Hello hello;
  Challenge challenge;
  Proof proof;
  size_t have;                 // bytes of the message being read
};

struct Client {
  unsigned long id;
  int fd;
  bool waiting;                // for a keeper; commands behind it are not read yet
  bool over;
  char input[1024];
  size_t have;
  int descriptor;              // that came along, for `pass`; -1
  Array<char> output;
};

struct GateOptions {
  const char *address = nullptr;
  int port = 0;
  const char *control = nullptr;
  const char *libexec = nullptr;
  bool foreground = false;
};

class Gate {
 public:
  explicit Gate(const GateOptions &options) : options_(options) {}
  // Binds both sockets. 0, or -errno with *what naming the one that failed.
  int start(const char **what);
  void adopt_sessions();
  int run();                   // exit status

 private:
  // sessions.cc
  uint8_t *free_token();
  Session *find_session(uint64_t id);
  // What a session is opened for: a guest, or, with a directory for its image, a process that is to be frozen.
  struct Opening {
    uint64_t memory = 0;
    const char *cgroup = "", *freezer = nullptr;
    bool sealed = false;
    uint64_t cache = 0;
  };
  int open_session(uint64_t id, uint8_t (&token)[32], const Opening &opening, unsigned long asked_by);   // wipes token
  int let_guest_in(Session &session, uint64_t memory);
  void pass(Session &session, const GateMessage &message, int fd);   // takes fd
  void flush(Session &session);
  void hear_keeper(Session &session);
  void kill_session(Session &session, const char *why);
  void reap();
  void finish(Session &session);
  void write_state(const Session &session);
  void remove_cgroups();

  // arrivals.cc
  void accept_arrivals();
  void read_arrival(Arrival &arrival);
  bool hello(Arrival &arrival);
  void proof(Arrival &arrival);
  int64_t arrival_deadline(const Arrival &arrival);

  // control.cc
  void accept_control();
  void read_control(Client &client);
  void write_control(Client &client);
  void run_lines(Client &client);
  void command(Client &client, char *line);
  void command_open(Client &client, char **words, int count);
  void command_freeze(Client &client, char **words, int count);
  void open_for(Client &client, uint64_t id, uint8_t (&token)[32], const Opening &opening);
  void command_list(Client &client, const char *which);
  void command_route(Client &client, char **words, int count);
  void command_pass(Client &client, char **words, int count);
  __attribute__((format(printf, 3, 4))) void answer(Client &client, const char *format, ...);
  void answer_open(Session &session, int error, const char *step);
  void tell_all(const Session &session, const char *state, const char *why);

  // sealing.cc
  int need_seal();
  bool tell_seal(const SealMessage &message, int fd);
  void give_keys(const Session &session);
  void forget_keys(const Session &session);
  void seal_arrival(Arrival &arrival);
  void hear_seal();
  void lose_seal();
  int make_route(uint64_t session, bool memory, uint8_t (&key)[32], uint32_t address, uint16_t port);   // wipes key
  void drop_route(uint64_t session);

  // mosgate.cc
  void round();
  void sweep();
  int64_t next_deadline();
  void expire(int64_t now);

  GateOptions options_;
  int data_ = -1, control_ = -1, signals_ = -1;
  bool quit_ = false;
  int seal_ = -1;              // to mosseal; -1: none runs that is ours
  uint32_t seal_number_ = 0;
  int64_t seal_rests_ = 0;
  uint64_t arrival_numbers_ = 0;
  uint8_t (*tokens_)[32] = nullptr;
  unsigned long client_ids_ = 0;
  Array<Session *> sessions_;
  Array<Arrival *> arrivals_;
  Array<Client *> clients_;
  bool uses_cache(uint64_t number);
  Caches caches_;
  int64_t caches_looked_ = 0;
  Array<char *> cgroups_;      // to be removed; busy for a moment after the last process
  Array<pollfd> set_;
};

// A keyed hash leaves the key's words on the stack, and the next keeper is forked from it.
void wipe_stack();

// inspect.cc: what /proc says.
uint64_t start_time_of(pid_t pid);                    // field 22 of /proc/PID/stat; 0: no such process
struct Usage {
  pid_t leader = 0;            // the first guest process, in this node's numbers
  double cpu_seconds = 0;
  uint64_t rss_bytes = 0;
  unsigned threads = 0;
};
Usage usage_of(pid_t keeper);

}  // namespace mosrun
