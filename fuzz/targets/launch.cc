// mosrun hears its daemon: frames (native/launcher/launcher.cc).
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "libc.h"

namespace {
jmp_buf ended;
int ended_with;
}  // namespace

#define _exit(status) (ended_with = (status), longjmp(ended, 1))
#define execvp(name, arguments) (check_program(name, arguments), -1)
#define putenv(text) note_entry(text)
#define fprintf(...) 0
#define malloc(n) kept(nullptr, n)
#define realloc(old, n) kept(old, n)
#define free(old) dropped(old)
#define getcwd(to, n) const_cast<char *>("/tmp")

static void check_program(const char *name, char *const *arguments);
static int note_entry(const char *text);
static void *kept(void *old, size_t n);
static void dropped(void *old);
#pragma clang diagnostic ignored "-Winvalid-noreturn"
#pragma clang diagnostic ignored "-Wunused-parameter"
#include "launcher/launcher.cc"
#undef _exit
#undef execvp
#undef fprintf
#undef malloc
#undef realloc
#undef free

#include "command-texts.h"

using namespace mosrun;
using namespace mosrun::model;

namespace {
const char *words[] = {"mosrun", "-r", "2", "/bin/prog", "argv0", "x", nullptr};
size_t entries;
std::vector<void *> blocks;             // a launcher leaves its memory to the program's exec
}  // namespace

static void dropped(void *old) {
  std::erase(blocks, old);
  free(old);
}
static void *kept(void *old, size_t n) {
  if (old) std::erase(blocks, old);
  // A long frame's block need not be longer than what can still come.
  return blocks.emplace_back(realloc(old, std::min(n, model::libc.left + 65536)));
}

static int note_entry(const char *text) {
  entries += strlen(text) + 1;
  return 0;
}

static void check_program(const char *name, char *const *arguments) {
  bool known = false;
  for (const char *word : words) known = known || word == name;
  require(known && arguments[0], "a program that the command line does not name");
  require(entries <= kLongestFrame, "entries beyond the frame", long(entries));
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  begin(data + 1, size - 1);
  model::libc.portion = data[0];
  entries = 0;
  model::libc.quiet = true;
  if (!setjmp(ended)) Launch(kMosrun, 6, const_cast<char **>(words));
  require(ended_with >= 0 || size > 5, "ended without a word", ended_with);
  model::libc.active = false;
  for (void *block : blocks) free(block);
  blocks.clear();
  return 0;
}

std::vector<std::string> seeds() {
  auto frame = [](char type, std::string body) {
    uint32_t n = uint32_t(body.size());
    return std::string(reinterpret_cast<char *>(&n), 4) + type + body;
  };
  const std::string none(1, 0), go = std::string("\3\0\0\0\0\2\0\0\0A=b\0CD=e\0", 18), name = std::string("\3\0\0\0\1\0\0\0\0", 9);
  return {none + frame('P', std::string("\3\0\0\0", 4)) + frame('W', "full") + frame('O', "text\n") + frame('G', go), none + frame('G', name), none + frame('E', "no\n") + frame('X', std::string("\1\0\0\0", 4))};
}
