// mosrun, mosenv and mosnative: small static programs, because a queued job must cost almost nothing. They understand no option
// themselves but --help and --version, which need no daemon: mosd reads the command line, decides, and answers. Then the program takes
// this process's place, so that the shell's child, terminal and pid are the program's.
//
// Frames both ways: u32 length (of what follows the type), u8 type, body; all integers little-endian; strings end with NUL.
//   to mosd:    'L' u16 version, u32 argc, argv... (the first is which of the three this is), cwd, u32 count, environment entries...
//               'F' the answer to 'P': u32 error (errno, 0: it can be executed), path, and the first bytes of the file, if it can be read
//   from mosd:  'O' text for standard output        'E' text for standard error
//               'W' wait (the body is a reason)     'X' u32 exit code
//               'B' too many launchers of this user are here: close, and come again in a while
//               'P' u32 index of a program in argv: what would be executed?
//               'G' u32 index of the program in argv, u8 rule, u32 count, environment entries to set...
//                   rule 0: argv[0] is the program's name;  rule 1 (-z): the arguments after the program start at argv[0]
// lib/shared/launch-frames.ts is the other side.
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "launcher.h"

extern char **environ;

namespace {

constexpr uint16_t kProtocolVersion = 1;
constexpr int kFailed = 125;  // as env(1): our own error, cannot execute, not found
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;
constexpr uint32_t kLongestFrame = 16u << 20;
constexpr size_t kHeadBytes = 256;  // an ELF header is 64, the kernel reads so many of a script's first line
constexpr char kDefaultSocket[] = "/run/mosrun/launch.sock";

const Command *command;

[[noreturn]] void Fail(const char *what, const char *detail, const char *advice) {
  fprintf(stderr, "mosrun: %s%s%s: %s\n", what, *detail ? ": " : "", detail, advice);
  _exit(kFailed);
}

/// A growing byte buffer; only what building one frame needs.
struct Buffer {
  char *data = nullptr;
  size_t size = 0, room = 0;

  void Add(const void *bytes, size_t count) {
    if (size + count > room) {
      room = (size + count) * 2 + 4096;
      data = static_cast<char *>(realloc(data, room));
      if (!data) Fail("out of memory", "", "shorten the command line");
    }
    memcpy(data + size, bytes, count);
    size += count;
  }
  void Number32(uint32_t value) { Add(&value, sizeof value); }
  void Number16(uint16_t value) { Add(&value, sizeof value); }
  void String(const char *text) { Add(text, strlen(text) + 1); }
};

bool WriteAll(int fd, const char *data, size_t count) {
  while (count > 0) {
    ssize_t done = write(fd, data, count);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    data += done;
    count -= static_cast<size_t>(done);
  }
  return true;
}

bool ReadAll(int fd, void *to, size_t count) {
  char *data = static_cast<char *>(to);
  while (count > 0) {
    ssize_t done = read(fd, data, count);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    data += done;
    count -= static_cast<size_t>(done);
  }
  return true;
}

int Connect(const char *path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) Fail("the socket's path is too long", path, "set MOSRUN_LAUNCH_SOCKET to a shorter one");
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Fail("cannot make a socket", strerror(errno), "raise the limit of open files");
  if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) < 0) {
    Fail("no daemon answers on this node", strerror(errno), "start mosd, or ask the administrator");
  }
  return fd;
}

const Option *FindWord(const char *name, size_t length) {
  for (size_t i = 0; i < command->option_count; i++) {
    const Option &option = command->options[i];
    if (strlen(option.word) == length && memcmp(option.word, name, length) == 0) return &option;
  }
  return nullptr;
}

const Option *FindLetter(char letter) {
  for (size_t i = 0; i < command->option_count; i++) {
    const Option &option = command->options[i];
    if (letter && option.letter == letter) return &option;
  }
  return nullptr;
}

/// What --help or --version among the command's own options asks for; null when there is neither, or anything is wrong with the options
/// (the daemon says what). Reads as lib/commands/options.ts does.
const char *TextAskedFor(int argc, char **argv) {
  bool help = false, version = false;
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    if (word[0] != '-' || !word[1] || strcmp(word, "--") == 0) break;
    if (word[1] == '-') {
      const char *name = word + 2, *equals = strchr(name, '=');
      const Option *option = FindWord(name, equals ? static_cast<size_t>(equals - name) : strlen(name));
      if (!option || (equals && option->value == Value::none)) return nullptr;
      if (!equals && option->value == Value::required && ++i == argc) return nullptr;
      help = help || strcmp(option->word, "help") == 0;
      version = version || strcmp(option->word, "version") == 0;
      continue;
    }
    for (const char *letter = word + 1; *letter; letter++) {
      const Option *option = FindLetter(*letter);
      if (!option) return nullptr;
      if (option->value == Value::none) continue;
      if (option->value == Value::required && !letter[1] && ++i == argc) return nullptr;
      break;
    }
  }
  return help ? command->help : version ? command->version : nullptr;
}

bool SendFrame(int fd, char type, const Buffer &body) {
  Buffer frame;
  frame.Number32(static_cast<uint32_t>(body.size));
  frame.Add(&type, 1);
  frame.Add(body.data, body.size);
  return WriteAll(fd, frame.data, frame.size);
}

/// Only what concerns mosrun travels: what the program sees is already in this process.
void SendLaunch(int fd, int argc, char **argv) {
  Buffer body;
  body.Number16(kProtocolVersion);
  body.Number32(static_cast<uint32_t>(argc > 0 ? argc : 1));
  body.String(command->name);
  for (int i = 1; i < argc; i++) body.String(argv[i]);
  char *directory = getcwd(nullptr, 0);
  body.String(directory ? directory : "");
  uint32_t count = 0;
  for (char **entry = environ; *entry; entry++) count += strncmp(*entry, "MOSRUN_", 7) == 0;
  body.Number32(count);
  for (char **entry = environ; *entry; entry++) {
    if (strncmp(*entry, "MOSRUN_", 7) == 0) body.String(*entry);
  }
  SendFrame(fd, 'L', body);   // one that hangs up may have said why
}

/// The daemon has as many of this user's launchers as it takes at a time. Not all come again at once.
void Wait(int tries) {
  constexpr int kTries = 300;
  if (tries >= kTries) Fail("too many programs of this user are being started at once", "", "start them one after another");
  timespec now, pause{0, 0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  pause.tv_nsec = 50'000'000 + (now.tv_nsec ^ getpid() * 7919L) % 100'000'000;
  nanosleep(&pause, nullptr);
}

int WhyNot(const char *path) {
  struct stat file;
  if (stat(path, &file) < 0) return errno;
  if (!S_ISREG(file.st_mode)) return EACCES;
  return access(path, X_OK) < 0 ? errno : 0;
}

/// Finds a program as execvp(3) does, with this user's rights, and tells mosd.
void Describe(int fd, const char *program) {
  const char *directories = getenv("PATH");
  char path[4096] = "";
  int error = ENOENT;
  if (strchr(program, '/')) {
    snprintf(path, sizeof path, "%s", program);
    error = WhyNot(path);
  } else {
    for (const char *at = directories ? directories : "/bin:/usr/bin"; error && at;) {
      const char *end = strchrnul(at, ':');
      snprintf(path, sizeof path, "%.*s%s%s", static_cast<int>(end - at), at, end > at ? "/" : "", program);
      const int why = WhyNot(path);
      if (why != ENOENT && why != ENOTDIR) error = why;
      at = *end ? end + 1 : nullptr;
    }
  }
  Buffer answer;
  answer.Number32(static_cast<uint32_t>(error));
  answer.String(error ? program : path);
  const int file = error ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  char head[kHeadBytes];
  const ssize_t count = file < 0 ? 0 : read(file, head, sizeof head);
  if (count > 0) answer.Add(head, static_cast<size_t>(count));
  if (file >= 0) close(file);
  if (!SendFrame(fd, 'F', answer)) Fail("the daemon hung up", strerror(errno), "see the daemon's log");
}

/// Takes the program's place in this process; comes back only by exiting.
[[noreturn]] void Go(int argc, char **argv, const char *body, uint32_t length) {
  uint32_t index = 0, count = 0;
  constexpr uint32_t kHead = 4 + 1 + 4;
  if (length < kHead) Fail("the daemon's answer is not understood", "", "restart mosd: its version may differ");
  memcpy(&index, body, 4);
  const bool arguments_start_at_name = body[4] == 1;
  memcpy(&count, body + 5, 4);
  const char *entry = body + kHead;
  const char *end = body + length;
  for (; count > 0; count--) {
    const void *stop = memchr(entry, 0, static_cast<size_t>(end - entry));
    if (!stop) Fail("the daemon's answer is not understood", "", "restart mosd: its version may differ");
    putenv(const_cast<char *>(entry));
    entry = static_cast<const char *>(stop) + 1;
  }
  if (index == 0 || index >= static_cast<uint32_t>(argc)) Fail("no program was named", "", "see its --help");
  char **arguments = argv + index + (arguments_start_at_name ? 1 : 0);
  if (!*arguments) Fail("-z needs the program's argv[0]", "", "write: mosrun -z PROGRAM ARGV0 [ARGUMENT...]");
  execvp(argv[index], arguments);
  const int error = errno;
  const bool missing = error == ENOENT;
  fprintf(stderr, "mosrun: cannot run %s: %s: %s\n", argv[index], strerror(error),
          missing ? "check the name and PATH" : "check the file and its permissions");
  _exit(missing ? kNotFound : kCannotExecute);
}

}  // namespace

int Launch(const Command &which, int argc, char **argv) {
  command = &which;
  if (const char *text = TextAskedFor(argc, argv)) return WriteAll(STDOUT_FILENO, text, strlen(text)) ? 0 : kFailed;
  const char *path = getenv("MOSRUN_LAUNCH_SOCKET");
  if (!path || !*path) path = kDefaultSocket;
  int fd = Connect(path), tries = 0;
  // A daemon that hangs up must be an error message, not a death by signal. Ignoring would be inherited by the program.
  struct sigaction ignore {}, before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  SendLaunch(fd, argc, argv);
  sigaction(SIGPIPE, &before, nullptr);
  for (;;) {
    uint32_t length;
    char type;
    if (!ReadAll(fd, &length, sizeof length) || !ReadAll(fd, &type, 1)) {
      Fail("the daemon went away before it had decided", "", "start the command again");
    }
    char *body = length <= kLongestFrame ? static_cast<char *>(malloc(length + 1)) : nullptr;
    if (!body || !ReadAll(fd, body, length)) Fail("the daemon's answer is cut short", "", "start the command again");
    switch (type) {
      case 'O': WriteAll(STDOUT_FILENO, body, length); break;
      case 'E': WriteAll(STDERR_FILENO, body, length); break;
      case 'W': break;
      case 'B':
        close(fd);
        Wait(++tries);
        fd = Connect(path);
        sigaction(SIGPIPE, &ignore, nullptr);
        SendLaunch(fd, argc, argv);
        sigaction(SIGPIPE, &before, nullptr);
        break;
      case 'X': {
        uint32_t code = kFailed;
        if (length >= sizeof code) memcpy(&code, body, sizeof code);
        _exit(static_cast<int>(code));
      }
      case 'P': {
        uint32_t index = 0;
        if (length >= sizeof index) memcpy(&index, body, sizeof index);
        if (index == 0 || index >= static_cast<uint32_t>(argc)) Fail("the daemon's answer is not understood", "", "restart mosd: its version may differ");
        Describe(fd, argv[index]);
        break;
      }
      case 'G': Go(argc, argv, body, length);
      default: Fail("the daemon's answer is not understood", "", "restart mosd: its version may differ");
    }
    free(body);
  }
}
