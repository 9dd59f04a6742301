// What a mover tells whoever started it: one JSON object a line on stdout.
#pragma once
#include <stdint.h>

#include <string>

namespace mosrun {

struct Figures {
  std::string from, to;
  double freeze_seconds = 0, total_seconds = 0;
  uint64_t bytes = 0, pages = 0, saved = 0;
  unsigned threads = 0;
  // Of the memory that went ahead while the process ran; no round: all of it followed as it stood, and `stood` says why, if anything could have gone.
  unsigned rounds = 0;                   // home and on: 1, for the guest does not tell
  uint64_t dirty_rate = 0;               // bytes a second that it changed meanwhile
  std::string stood;
};

std::string quoted(const std::string &text);
void say(const std::string &json);
void say_phase(const char *phase, int64_t at_ns = 0);                          // `at_ns`: by CLOCK_MONOTONIC; 0: now. Told in seconds since the first
int say_done(int pid, const Figures &figures);                                 // returns exit status 0
int say_failed(const char *code, const std::string &message);                  // returns exit status 1
int say_failed(pid_t pid, const char *code, const std::string &message);       // unless it has ended meanwhile, which explains it all
const char *code_of(int error);                                                // stable code for an errno of a move

}  // namespace mosrun
