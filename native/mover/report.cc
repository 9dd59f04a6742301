#include "mover/report.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/proc.h"

namespace mosrun {

std::string quoted(const std::string &text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (static_cast<unsigned char>(c) < 32) {
      char code[8];
      snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else out += c;
  }
  return out + "\"";
}

void say(const std::string &json) {
  std::string line = json + "\n";
  // Whoever asked may be gone; the move goes on all the same.
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) return;
}

void say_phase(const char *phase, int64_t at_ns) {
  static const int64_t began = clock_ns(CLOCK_MONOTONIC);
  char at[32];
  snprintf(at, sizeof at, "%.6f", double((at_ns ? at_ns : clock_ns(CLOCK_MONOTONIC)) - began) / 1e9);
  say(std::string("{\"event\":\"phase\",\"phase\":\"") + phase + "\",\"at\":" + at + "}");
}

int say_done(int pid, const Figures &f) {
  char numbers[320];
  snprintf(numbers, sizeof numbers, "\"freeze_seconds\":%.6f,\"total_seconds\":%.6f,\"bytes\":%lu,\"pages\":%lu,\"saved\":%lu,\"threads\":%u,\"rounds\":%u,\"dirty_rate\":%lu", f.freeze_seconds, f.total_seconds, f.bytes, f.pages, f.saved, f.threads, f.rounds,
           f.dirty_rate);
  say("{\"event\":\"done\",\"pid\":" + std::to_string(pid) + ",\"from\":" + quoted(f.from) + ",\"to\":" + quoted(f.to) + "," + numbers + ",\"stood\":" + (f.stood.empty() ? "null" : quoted(f.stood)) + "}");
  return 0;
}

int say_failed(const char *code, const std::string &message) {
  say(std::string("{\"event\":\"failed\",\"code\":\"") + code + "\",\"message\":" + quoted(message) + "}");
  return 1;
}

int say_failed(pid_t pid, const char *code, const std::string &message) {
  ProcessStat stat;
  // Without memory it is on its way to the zombie it is not yet.
  const bool ended = !read_stat(pid, stat) || stat.state == 'Z' || stat.state == 'X' || !stat.end_code;
  return ended ? say_failed("not-found", "process " + std::to_string(pid) + " has ended") : say_failed(code, message);
}

const char *code_of(int error) {
  switch (error) {
    case ECONNREFUSED: case EPERM: case EACCES: case ENOKEY: case EKEYREJECTED: return "refused";
    case EHOSTUNREACH: case ENETUNREACH: case EHOSTDOWN: case ENOLINK: return "unreachable";
    case ETIMEDOUT: case EAGAIN: return "timeout";
    case ECONNRESET: case EPIPE: return "cut";
    case ENOMEM: return "no-memory";
    case ENOSPC: case EDQUOT: case EFBIG: return "disk-full";
    case EPROTO: case EPROTONOSUPPORT: return "protocol";
    default: return "cannot-move";
  }
}

}  // namespace mosrun
