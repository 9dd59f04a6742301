// Who a process is, written down so that a reused process number is never taken for it.
#include "tool.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace testbed {
namespace {

// Field 22 of /proc/PID/stat; the command in field 2 may hold spaces and parentheses, so counting starts behind its last one.
bool start_time(const char* pid, char* out, size_t size) {
  char path[64], text[1024];
  std::snprintf(path, sizeof path, "/proc/%s/stat", pid);
  FILE* file = std::fopen(path, "re");
  if (file == nullptr) return false;
  const size_t got = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  text[got] = 0;
  char* at = std::strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) at = std::strchr(at + 1, ' ');
  if (at == nullptr) return false;
  std::snprintf(out, size, "%.*s", static_cast<int>(std::strcspn(at + 1, " ")), at + 1);
  return true;
}

}  // namespace

int read_recorded(const char* name) {
  char pid[32] = "", start[32] = "", now[32] = "";
  FILE* file = std::fopen(name, "re");
  if (file == nullptr) fail("no such node, or it is not up:", name);
  const int got = std::fscanf(file, "%31s %31s", pid, start);
  std::fclose(file);
  if (got != 2 || !start_time(pid, now, sizeof now) || std::strcmp(start, now) != 0) {
    errno = ESRCH;
    fail("the node is down:", name);
  }
  return std::atoi(pid);
}

void record_self(const char* name) {
  char pid[32] = "", start[32] = "";
  // /proc/self names the caller in the numbers of that /proc, which stays the machine's until the root is changed.
  if (readlink("/proc/self", pid, sizeof pid - 1) < 0 || !start_time(pid, start, sizeof start)) fail("cannot read", "/proc/self");
  FILE* file = std::fopen(name, "we");
  if (file == nullptr || std::fprintf(file, "%s %s\n", pid, start) < 0 || std::fclose(file) != 0) fail("cannot write", name);
}

}  // namespace testbed
