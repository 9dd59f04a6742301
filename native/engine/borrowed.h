// Instructions of the program that an injected call borrows.
#pragma once
#include "engine/proc.h"

namespace mosrun {

struct Gadgets {
  Remote call;        // syscall, then (perhaps after a test for an error) ret
  Remote sigreturn;   // mov $15, %eax; syscall: the restorer of every C library
  bool returns = false;
};

}  // namespace mosrun
