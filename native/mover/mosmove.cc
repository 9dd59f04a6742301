// mosmove: carries out one move of one process and ends. Started by mosd, detached, so that a move outlives a daemon.
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/inspect.h"
#include "mover/mover.h"
#include "mover/report.h"

namespace mosrun {

static std::string state_file(const Order &o) { return o.state_dir + "/" + std::to_string(o.pid) + ".json"; }

// Written whole or not at all: a restarted daemon believes what it finds.
bool write_state(const Order &o, uint64_t control) {
  ProcessStat stat;
  std::string boot;
  if (!read_stat(o.pid, stat)) return false;
  read_file("/proc/sys/kernel/random/boot_id", boot);
  while (!boot.empty() && boot.back() == '\n') boot.pop_back();
  char text[1024];
  int n = snprintf(text, sizeof text,
                   "{\"version\":1,\"pid\":%d,\"start_time\":\"%lu\",\"boot_id\":%s,\"session\":\"%016lx\",\"node\":%s,\"address\":%s,\"port\":%u,\"control\":\"0x%lx\",\"since\":%ld}\n", o.pid, stat.start_time,
                   quoted(boot).c_str(), o.session.id, quoted(o.node).c_str(), quoted(o.address).c_str(), ntohs(o.session.gate.sin_port), control, long(time(nullptr)));
  mkdir(o.state_dir.c_str(), 0755);
  std::string file = state_file(o), temporary = file + ".new";
  int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  bool good = write(fd, text, size_t(n)) == n;
  close(fd);
  return good && !rename(temporary.c_str(), file.c_str());
}

void remove_state(const Order &o) { unlink(state_file(o).c_str()); }

static uint32_t take_fault(const Order &o) {
  std::string file = o.state_dir + "/fault", text;
  if (!read_file(file, text)) return 0;
  unlink(file.c_str());
  return uint32_t(strtoul(text.c_str(), nullptr, 10));
}

static int list_faults() {
#define MOSRUN_FAULT(number, name, text) printf("%u %s: %s\n", unsigned(number), #name, text);
  MOSRUN_FAULTS(MOSRUN_FAULT)
#undef MOSRUN_FAULT
  return 0;
}

static bool read_token(uint8_t (&token)[32]) {
  char line[80];
  if (!fgets(line, sizeof line, stdin)) return false;
  for (int i = 0; i < 32; ++i) {
    unsigned byte;
    if (sscanf(line + 2 * i, "%2x", &byte) != 1) return false;
    token[i] = uint8_t(byte);
  }
  return true;
}

static bool read_unserved(const char *text, Unserved &unserved) {
  static const char *const kWords[] = {"home", "error", "warn", "end"};
  for (unsigned i = 0; i < sizeof kWords / sizeof *kWords; ++i)
    if (!strcmp(text, kWords[i])) return unserved = Unserved(i), true;
  return false;
}

static int usage() {
  fputs(
      "usage: mosmove out --pid PID --node NAME --session HEX --address IP --port N [--seal N] [--at-exec] [--ordinary] [--unserved home|error|warn|end] [--no-read-ahead] [--no-write-behind] [--no-awake] [--lazy] [--no-packing] [--no-keeping] [--timeout S] [--state-dir DIR]   (token on standard input)\n"
      "       mosmove on --pid PID --node NAME --session HEX --address IP --port N [--seal N] --memory N [--timeout S] [--state-dir DIR]   (token on standard input)\n"
      "       mosmove link --pid PID --session HEX --address IP --port N [--seal N] --memory N [--large] --gate PATH --guest HEX [--timeout S]   (key on standard input)\n"
      "       mosmove home|clean|explain --pid PID [--timeout S] [--state-dir DIR]\n"
      "       mosmove faults   (the fault points of tests)\n"
      "mosmove is a helper of mosd; use migrate(1).\n",
      stderr);
  return 2;
}

static int run(int argc, char **argv) {
  static const option options[] = {{"pid", 1, nullptr, 'p'},     {"node", 1, nullptr, 'n'},      {"session", 1, nullptr, 's'},   {"address", 1, nullptr, 'a'}, {"port", 1, nullptr, 'o'}, {"at-exec", 0, nullptr, 'x'},
                                   {"timeout", 1, nullptr, 't'}, {"state-dir", 1, nullptr, 'd'}, {"clock", 1, nullptr, 'c'},     {"reason", 1, nullptr, 'r'},
                                   {"memory", 1, nullptr, 'm'},  {"gate", 1, nullptr, 'g'},      {"guest", 1, nullptr, 'u'},      {"unserved", 1, nullptr, 'e'}, {"seal", 1, nullptr, 'l'}, {"ordinary", 0, nullptr, 'i'}, {"no-read-ahead", 0, nullptr, 'b'}, {"no-write-behind", 0, nullptr, 'w'}, {"no-awake", 0, nullptr, 'q'}, {"lazy", 0, nullptr, 'y'}, {"no-packing", 0, nullptr, 'k'}, {"no-keeping", 0, nullptr, 'K'}, {"large", 0, nullptr, 'z'}, {}};
  if (argc < 2) return usage();
  std::string what = argv[1], gate, guest;
  Order o;
  o.session.gate.sin_family = AF_INET;
  for (int c; (c = getopt_long(argc - 1, argv + 1, "", options, nullptr)) != -1;) switch (c) {
      case 'p': o.pid = atoi(optarg); break;
      case 'n': o.node = optarg; break;
      case 's': o.session.id = strtoull(optarg, nullptr, 16); break;
      case 'a': o.address = optarg; break;
      case 'o': o.session.gate.sin_port = htons(uint16_t(atoi(optarg))); break;
      case 'x': o.at_exec = true; break;
      case 'i': o.ordinary = true; break;
      case 'b': o.read_ahead = false; break;
      case 'w': o.write_behind = false; break;
      case 'q': o.awake = false; break;
      case 'y': o.lazy = true; break;
      case 'k': o.packs = false; break;
      case 'K': o.keeps = false; break;
      case 't': o.timeout_ms = int(atof(optarg) * 1000); break;
      case 'd': o.state_dir = optarg; break;
      case 'c': o.session.own_clock = strcmp(optarg, "home") != 0; break;
      case 'r': break;
      case 'e':
        if (!read_unserved(optarg, o.unserved)) return usage();
        break;
      case 'z': o.large = true; break;
      case 'm': o.memory = uint32_t(atoi(optarg)); break;
      case 'l': o.session.seal = uint32_t(strtoul(optarg, nullptr, 10)); break;
      case 'g': gate = optarg; break;
      case 'u': guest = optarg; break;
      default: return usage();
    }
  if (what == "faults") return list_faults();
  if (o.pid <= 0 || o.timeout_ms <= 0) return usage();
  if (what == "home" || what == "out" || what == "on") o.fault = take_fault(o);
  if (what == "home") return move_home(o);
  if (what == "explain") return explain(o);
  if (what == "clean") {
    std::string error;
    for (int i = 0; i < 100; ++i) {
      if (clean(o, error, i > 50)) return remove_state(o), 0;
      usleep(1000);
    }
    return say_failed("busy", "process " + std::to_string(o.pid) + ": " + error);
  }
  if (what != "out" && what != "on" && what != "link") return usage();
  if (!inet_aton(o.address.c_str(), &o.session.gate.sin_addr) || !o.session.gate.sin_port) return usage();
  if (!read_token(o.session.token)) return say_failed("usage", "no session token on standard input");
  if (what != "out" && (!o.memory || o.memory > UINT16_MAX / kStreams)) return usage();
  if (what == "link") return gate.empty() || guest.empty() ? usage() : link_guest(o, gate, guest);
  return what == "on" ? move_on(o) : move_out(o);
}

}  // namespace mosrun

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  return mosrun::run(argc, argv);
}
