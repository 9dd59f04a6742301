// What a helper program gives up that hears strangers and needs no rights.
#pragma once
#include <stdint.h>

namespace mosrun {

struct Confinement {
  const int *calls;        // all it may make
  unsigned count;
  int socket_family;       // of sockets it may make; 0: none
  uint32_t users;          // it becomes the user of this number plus its own process number, whom no other program has
};

// No rights, no files, no new programs: what is left are the descriptors it has. 0, or -errno with the step that failed.
int confine(const Confinement &to, const char **step);

}  // namespace mosrun
