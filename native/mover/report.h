// What a mover tells whoever started it: one JSON object a line on stdout.
#pragma once
#include <stdint.h>

#include <string>

namespace mosrun {

struct Figures {
  std::string from, to;
  double freeze_seconds = 0, total_seconds = 0;
  uint64_t bytes = 0, pages = 0;
  unsigned threads = 0;
};

std::string quoted(const std::string &text);
void say(const std::string &json);
void say_phase(const char *phase);
int say_done(int pid, const Figures &figures);                                 // returns exit status 0
int say_failed(const char *code, const std::string &message);                  // returns exit status 1
const char *code_of(int error);                                                // stable code for an errno of a move

}  // namespace mosrun
