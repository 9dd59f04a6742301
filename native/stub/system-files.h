// Files of the system: root's alone to write, and replaced instead of being changed. What they hold is taken to stay as it is.
#pragma once
#include <initializer_list>

namespace mosrun {

// By their place. Elsewhere it may be somebody's file system that does not answer.
inline bool is_place_of_system(const char *path) {
  for (const char *place : {"/usr/", "/lib", "/opt/", "/bin/", "/sbin/"}) {
    const char *at = path;
    while (*place && *at == *place) ++at, ++place;
    if (!*place) return true;
  }
  return false;
}

}  // namespace mosrun
