#include "harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "blob.h"
#include "engine/sha256.h"

using namespace mosrun;

std::string directory;

int data_port() { return 20000 + getpid() % 10000; }

double now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double at_once() {
  double load[1] = {0};
  const double processors = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  return 100 * std::max(1.0, getloadavg(load, 1) == 1 ? load[0] / processors : 1.0);
}

bool wait_for(double ms, bool (*condition)(void *), void *argument) {
  for (double end = now_ms() + ms;; usleep(2000)) {
    if (condition(argument)) return true;
    if (now_ms() > end) return false;
  }
}

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

std::string read_text(const std::string &path) {
  std::string text;
  if (FILE *file = fopen(path.c_str(), "r")) {
    for (int c; (c = getc(file)) != EOF;) text += static_cast<char>(c);
    fclose(file);
  }
  return text;
}

// A keeper is forked from its mosgate and keeps its command line, which names the test's own temporary directory.
template <class F>
static std::vector<pid_t> find_processes(const char *name, F ours) {
  std::vector<pid_t> found;
  DIR *proc = opendir("/proc");
  while (dirent *entry = readdir(proc)) {
    std::string path = std::string("/proc/") + entry->d_name;
    if (atoi(entry->d_name) > 0 && read_text(path + "/comm") == name + std::string("\n") && ours(path)) found.push_back(atoi(entry->d_name));
  }
  closedir(proc);
  return found;
}

std::vector<pid_t> keepers() {
  return find_processes("moskeeper", [](const std::string &path) { return !directory.empty() && has(read_text(path + "/cmdline"), directory); });
}

std::vector<pid_t> husks() {
  std::vector<pid_t> parents = keepers();
  return find_processes("moshusk", [&](const std::string &path) {
    std::string status = read_text(path + "/status");
    for (pid_t parent : parents) {
      if (has(status, "\nPPid:\t" + std::to_string(parent) + "\n")) return true;
    }
    return false;
  });
}

// --- mosgate -----------------------------------------------------------------------------------------------------------------

static std::string own_directory() {
  char path[4096] = {};
  if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) return ".";
  return std::string(path).substr(0, std::string(path).rfind('/'));
}

static pid_t spawn_gate() {
  std::string program = own_directory() + "/mosgate", control = directory + "/gate.sock", libexec = own_directory(), port = std::to_string(data_port());
  pid_t pid = fork();
  if (pid == 0) {
    int log = open((directory + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 2);
    execl(program.c_str(), "mosgate", "--listen", "127.0.0.1", "--port", port.c_str(), "--control", control.c_str(), "--libexec", libexec.c_str(), "--foreground",
          nullptr);
    _exit(127);
  }
  return pid;
}

static int connect_control() {
  sockaddr_un address{AF_UNIX, {}};
  strcpy(address.sun_path, (directory + "/gate.sock").c_str());
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

pid_t start_gate() {
  if (directory.empty()) {
    char path[] = "/tmp/mosgate-test-XXXXXX";
    directory = mkdtemp(path);
  }
  pid_t pid = spawn_gate();
  bool up = within(kSoon, [] {
    int fd = connect_control();
    if (fd >= 0) close(fd);
    return fd >= 0;
  });
  if (!up) {
    printf("not ok mosgate does not start: %s\n", read_text(directory + "/log").c_str());
    exit(1);
  }
  return pid;
}

void stop_gate(pid_t pid, int signal) {
  kill(pid, signal);
  waitpid(pid, nullptr, 0);
}

int run_gate() {
  int status = -1;
  waitpid(spawn_gate(), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

ControlClient::ControlClient() : fd(connect_control()) {}
ControlClient::~ControlClient() { close(fd); }

std::string ControlClient::read_line(int ms) {
  for (double end = now_ms() + ms;;) {
    size_t at = input.find('\n');
    if (at != std::string::npos) {
      std::string line = input.substr(0, at);
      input.erase(0, at + 1);
      return line;
    }
    pollfd ready{fd, POLLIN, 0};
    if (now_ms() > end || poll(&ready, 1, static_cast<int>(end - now_ms()) + 1) <= 0) return "";
    char data[4096];
    ssize_t got = recv(fd, data, sizeof data, 0);
    if (got <= 0) return "";
    input.append(data, static_cast<size_t>(got));
  }
}

std::string ControlClient::ask(const std::string &command) {
  if (send(fd, (command + "\n").data(), command.size() + 1, MSG_NOSIGNAL) < 0) return "";
  for (;;) {
    std::string line = read_line(5000);
    if (!has(line, "\"event\"")) return line;
    events.push_back(line);
  }
}

bool ControlClient::event(const std::string &part, int ms) {
  double end = now_ms() + ms;
  for (;;) {
    for (const std::string &event : events) {
      if (has(event, part)) return true;
    }
    if (now_ms() > end) return false;
    std::string line = read_line(static_cast<int>(end - now_ms()) + 1);
    if (!line.empty()) events.push_back(line);
  }
}

// --- channels ----------------------------------------------------------------------------------------------------------------

std::string Token::hex() const {
  std::string text;
  char two[3];
  for (uint8_t byte : bytes) snprintf(two, sizeof two, "%02x", byte), text += two;
  return text;
}

Token token_of(int seed) {
  Token token;
  for (int i = 0; i < 32; i++) token.bytes[i] = static_cast<uint8_t>(seed * 37 + i * 11);
  return token;
}

std::string session_name(uint64_t session) {
  char text[17];
  snprintf(text, sizeof text, "%016lx", session);
  return text;
}

Begin begin_for(pid_t pid) {
  Begin begin{};
  begin.base = kBase;
  begin.blob_hash = sha256_prefix(blob, sizeof blob);
  begin.stack_limit = 8 << 20;
  begin.stack_max = ~0ull;
  begin.pid = pid;
  begin.timeout_ms = 5000;
  begin.threads = 1;
  return begin;
}

int connect_data() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(data_port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

int connect_seal(uint32_t number) {
  SealAddress address = seal_address(number);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

bool read_exactly(int fd, void *data, size_t size, int ms) {
  double end = now_ms() + ms;
  for (size_t done = 0; done < size;) {
    pollfd ready{fd, POLLIN, 0};
    if (now_ms() > end || poll(&ready, 1, static_cast<int>(end - now_ms()) + 1) <= 0) return false;
    ssize_t got = recv(fd, static_cast<char *>(data) + done, size - done, 0);
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

bool closed_within(int fd, int ms) {
  char byte;
  double end = now_ms() + ms;
  while (now_ms() < end) {
    pollfd ready{fd, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(end - now_ms()) + 1) <= 0) continue;
    if (recv(fd, &byte, 1, 0) <= 0) return true;
  }
  return false;
}

int open_channel(const Opening &opening, Challenge *kept) {
  int fd = opening.seal ? connect_seal(opening.seal) : connect_data();
  if (fd < 0) return -1;
  Hello hello{kHelloMagic, kProtocol, opening.kind, opening.index, opening.session, {1, 2, 3}, 0, 0};
  Challenge challenge;
  if (send(fd, &hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello || !read_exactly(fd, &challenge, sizeof challenge, 3000)) {
    close(fd);
    return -1;
  }
  if (kept) *kept = challenge;
  if (challenge.error) {
    close(fd);
    return -1;
  }
  Proof proof{{}, opening.begin};
  hmac_sha256(opening.token.bytes, 32, proof.mac, hello, challenge, proof.begin);
  send(fd, &proof, sizeof proof, MSG_NOSIGNAL);
  return fd;
}

int welcome(int fd, int ms) {
  Welcome message;
  return fd >= 0 && read_exactly(fd, &message, sizeof message, ms) && message.magic == kHelloMagic ? static_cast<int>(message.status) : -1;
}

Guest::Guest(ControlClient &control, uint64_t id, bool with_event, const std::string &extra, uint32_t fault) : session(id) {
  Opening opening;
  opening.session = id;
  opening.token = token_of(static_cast<int>(id));
  if (!has(control.ask("open " + session_name(id) + " " + opening.token.hex() + extra), "\"ok\":true")) return;
  if (with_event) {
    opening.kind = ChannelKind::event;
    event = open_channel(opening);
    welcome(event);
    opening.kind = ChannelKind::thread;
  }
  opening.begin = begin_for(kPid);
  opening.begin.fault = fault;
  fd = open_channel(opening);
  if (int status = welcome(fd)) {
    printf("# the guest was refused: %d\n", status);
    close(fd);
    fd = -1;
  }
}

Guest::~Guest() {
  if (fd >= 0) close(fd);
  if (event >= 0) close(event);
}

bool Guest::say(GuestWhat what, const std::vector<uint64_t> &call, const std::string &take, std::string *give) {
  GuestCall request{what, static_cast<uint32_t>(take.size()), give ? static_cast<uint32_t>(give->size()) : 0, 0, {}};
  for (size_t i = 0; i < call.size(); i++) request.call[i] = call[i];
  if (fd < 0 || send(fd, &request, sizeof request, MSG_NOSIGNAL) != sizeof request) return false;
  if (!take.empty() && send(fd, take.data(), take.size(), MSG_NOSIGNAL) < 0) return false;
  return read_exactly(fd, &last, sizeof last, 5000) && (!give || read_exactly(fd, give->data(), give->size(), 5000));
}

bool Guest::put(const std::string &data) { return say(GuestWhat::describe, {}, data); }

std::string Guest::get(size_t size) {
  std::string data(size, 0);
  say(GuestWhat::describe, {}, "", &data);
  return data;
}

int64_t Guest::path_call(const std::string &path, const std::vector<uint64_t> &call_) {
  put(path + std::string(1, '\0'));
  return call(call_);
}
