#include "probe.h"
#include "build/generated/syscalls.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace probe {
namespace {

using namespace mosrun::syscalls;

int failures = 0, done = 0, skipped = 0;

Arg descriptor(unsigned nr, const Call &call, int i) {
  const Arg arg = calls[nr].arg[i];
  if (arg.dir != Dir::command) return arg;
  const Command c = command_of(static_cast<List>(arg.plus), static_cast<uint32_t>(call.value[arg.a]));
  return {c.dir, Len::fixed, 0, 0, c.size};
}

uint32_t word(const std::string &text) {
  uint32_t w = 0;
  memcpy(&w, text.data(), text.size() < 4 ? text.size() : 4);
  return w;
}

size_t length(unsigned nr, const Call &call, int i) {
  const Arg arg = descriptor(nr, call, i);
  if (arg.dir == Dir::string) return call.content[i].size() + 1;
  switch (arg.len) {
    case Len::fixed: return arg.size;
    case Len::arg:
    case Len::ret: return arg.plus + call.value[arg.a] * arg.size;
    case Len::pointer: return word(call.content[arg.a]);
    case Len::fdset: return (call.value[arg.a] + 63) / 64 * 8;
    case Len::first: return arg.plus + (word(call.content[i]) ? word(call.content[i]) : arg.size);
    case Len::none: break;
  }
  return 0;
}

struct Outcome {
  long result = 0;
  std::map<int, std::string> memory;
};

Outcome run(unsigned nr, const std::function<Call()> &make, unsigned char fill, int shortened) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    alarm(5);
    Call call = make();
    char *place[6] = {};
    size_t size[6] = {};
    uint64_t a[6];
    for (int i = 0; i < 6; i++) {
      a[i] = call.value[i];
      if (!call.buffer[i]) continue;
      size[i] = length(nr, call, i);
      const size_t room = (size[i] + 4095) / 4096 * 4096 + 4096;
      char *base = static_cast<char *>(mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      mprotect(base + room - 4096, 4096, PROT_NONE);
      place[i] = base + room - 4096 - size[i];
      memset(place[i], descriptor(nr, call, i).dir == Dir::out ? fill : 0, size[i]);
      memcpy(place[i], call.content[i].data(), std::min(size[i], call.content[i].size()));
      if (i == shortened) {
        char *moved = place[i] + 1;
        memmove(moved, place[i], size[i] - 1);
        place[i] = moved;
      }
      a[i] = reinterpret_cast<uint64_t>(place[i]);
    }
    long result = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result == -1) result = -errno;
    if (write(ends[1], &result, sizeof result) < 0) _exit(1);
    if (shortened < 0)
      for (int i = 0; i < 6; i++)
        if (size[i] != 0 && write(ends[1], place[i], size[i]) < 0) _exit(1);
    _exit(0);
  }
  close(ends[1]);
  std::string all;
  char part[4096];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) all.append(part, n);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  Outcome outcome;
  if (all.size() < sizeof outcome.result) {
    outcome.result = -ETIME; // it never came back
    return outcome;
  }
  memcpy(&outcome.result, all.data(), sizeof outcome.result);
  outcome.memory[0] = all.substr(sizeof outcome.result);
  return outcome;
}

void failed(const char *what, const char *format, auto... args) {
  failures++;
  printf("FAIL %s: ", what);
  printf(format, args...);
  printf("\n");
}

} // namespace

void sample(unsigned nr, const char *what, const std::function<Call()> &make, Options options) {
  fflush(stdout);
  const Outcome one = run(nr, make, 0xaa, -1);
  if (one.result == -ENOSYS || one.result == -EPERM || one.result == -EOPNOTSUPP || one.result == -ENODEV) {
    skipped++;
    printf("skip %s: %s\n", what, strerror(-one.result));
    return;
  }
  done++;
  if (one.result < 0) return failed(what, "%s with buffers as long as the table says", strerror(-one.result));

  // Which bytes of `out` buffers neither run has changed: they had two different values before.
  const Outcome two = run(nr, make, 0x55, -1);
  const Call call = make();
  size_t at = 0;
  for (int i = 0; i < 6; i++) {
    if (!call.buffer[i]) continue;
    const size_t size = length(nr, call, i);
    const Arg arg = descriptor(nr, call, i);
    size_t filled = arg.dir == Dir::out && (options.loose >> i & 1) == 0 ? size : 0;
    if (arg.len == Len::ret && filled != 0) filled = std::min<size_t>(size, arg.plus + one.result * arg.size);
    if (arg.len == Len::pointer) filled = 0; // as long as the call said, which differs
    if (one.result == two.result)
      for (size_t k = 0; k < filled; k++)
        if (static_cast<unsigned char>(one.memory.at(0)[at + k]) == 0xaa && static_cast<unsigned char>(two.memory.at(0)[at + k]) == 0x55) {
          failed(what, "byte %zu of args[%d] is not written: the table says out, %zu bytes", k, i, size);
          break;
        }
    at += size;

    // Bulk data may be cut short instead, and what `ret` has room for need not be used.
    const bool part = arg.len == Len::none || arg.len == Len::ret || arg.len == Len::pointer || (arg.len == Len::arg && calls[nr].flags & LARGE_OK);
    if (part || size < 2 || (options.loose >> i & 1)) continue;
    const long result = run(nr, make, 0xaa, i).result;
    if (result != -EFAULT) failed(what, "%ld, not EFAULT, with args[%d] one byte shorter than %zu", result, i, size);
  }
}

int report() {
  printf("%d samples, %d failures, %d skipped\n", done, failures, skipped);
  return failures;
}

} // namespace probe
