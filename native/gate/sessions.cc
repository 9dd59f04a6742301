// Sessions: each has its keeper from the moment mosd opens it, so that making the sandbox costs no freeze time.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

#include "engine/log.h"
#include "gate.h"

namespace mosrun {

namespace {

__attribute__((format(printf, 1, 3))) int write_at(const char *format, const char *text, ...) {
  char path[384];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(path, sizeof path, format, arguments);
  va_end(arguments);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int error = write(fd, text, strlen(text)) < 0 ? -errno : 0;
  close(fd);
  return error;
}

int give_identity(pid_t keeper) {
  char map[48];
  snprintf(map, sizeof map, "0 %u 1", kGuestUsers + static_cast<uint32_t>(keeper));
  if (int error = write_at("/proc/%d/uid_map", map, keeper)) return error;
  return write_at("/proc/%d/gid_map", map, keeper);
}

constexpr char kSealedField[] = ",\"sealed\":true", kFrozenField[] = ",\"frozen\":true";   // of a state file, at its end

constexpr rlim_t kTasks = 16384;   // threads of all processes of a session, where the node has numbers for eight times as many

// A process number is taken on the node too, whatever it is called in the guest's namespace (which has a pid_max of its own since Linux 6.14).
rlim_t tasks_of_a_session() {
  char text[16] = {};
  int fd = open("/proc/sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  rlim_t share = got > 0 ? strtoul(text, nullptr, 10) / 8 : kTasks;
  return share < kTasks ? share : kTasks;
}

// The keeper's user namespace has no right to raise these; where this node has none either, the husk takes what it gets.
void give_limits(pid_t keeper) {
  rlimit stack{8 << 20, RLIM_INFINITY}, files{65536, 65536}, tasks{tasks_of_a_session(), tasks_of_a_session()};
  prlimit(keeper, RLIMIT_NPROC, &tasks, nullptr);
  prlimit(keeper, RLIMIT_STACK, &stack, nullptr);
  prlimit(keeper, RLIMIT_NOFILE, &files, nullptr);
}

// Version 1 or 2 of control groups: the directory says which.
int enter_cgroup(Session &session, uint64_t memory) {
  if (!session.cgroup[0]) return 0;
  if (mkdir(session.cgroup, 0755) == 0) session.made_cgroup = true;
  else if (errno != EEXIST) return -errno;
  char text[32];
  if (memory > 0) {
    snprintf(text, sizeof text, "%" PRIu64, memory);
    int error = write_at("%s/memory.max", text, session.cgroup);
    if (error == -ENOENT) error = write_at("%s/memory.limit_in_bytes", text, session.cgroup);
    if (error && error != -ENOENT) return error;   // no memory controller here: mosd's admission is all there is
  }
  snprintf(text, sizeof text, "%d", session.keeper);
  return write_at("%s/cgroup.procs", text, session.cgroup);
}

void state_directory(const char *control, char (&path)[256]) {
  const char *slash = strrchr(control, '/');
  snprintf(path, sizeof path, "%.*s/sessions", slash ? static_cast<int>(slash - control) : 1, slash ? control : ".");
}

void state_path(const char *control, uint64_t session, char (&path)[320]) {
  char directory[256];
  state_directory(control, directory);
  snprintf(path, sizeof path, "%s/%016" PRIx64, directory, session);
}

}  // namespace

bool Gate::uses_cache(uint64_t number) {
  for (Session *session : sessions_) {
    if (session->cache == number) return true;
  }
  return false;
}

Session *Gate::find_session(uint64_t id) {
  for (Session *session : sessions_) {
    if (session->id == id && !session->ended) return session;
  }
  return nullptr;
}

// Keepers are forked from this program: what they must not have is in memory that does not come along (madvise(2), 4.14).
uint8_t *Gate::free_token() {
  constexpr size_t kSize = kSessionsMax * sizeof *tokens_;
  if (!tokens_) {
    void *memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    if (madvise(memory, kSize, MADV_WIPEONFORK) < 0 || madvise(memory, kSize, MADV_DONTDUMP) < 0) {
      munmap(memory, kSize);
      return nullptr;
    }
    tokens_ = static_cast<uint8_t (*)[32]>(memory);
  }
  for (unsigned i = 0; i < kSessionsMax; i++) {
    bool used = false;
    for (Session *session : sessions_) used = used || session->token == tokens_[i];
    if (!used) return tokens_[i];
  }
  return nullptr;
}

// A file without a name, which is gone with whoever has it (O_TMPFILE, open(2)); where the file system has none, one that loses it at once.
static int make_image(const char *directory, uint64_t session) {
  int fd = open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return fd < 0 ? -errno : fd;
  char path[384];
  if (snprintf(path, sizeof path, "%s/%016" PRIx64, directory, session) >= static_cast<int>(sizeof path)) return -ENAMETOOLONG;
  fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return -errno;
  unlink(path);
  return fd;
}

// What waits for its identity and its limits, and begins with its first message.
int Gate::let_guest_in(Session &session, uint64_t memory) {
  give_limits(session.keeper);
  int error = write_at("/proc/%d/oom_score_adj", "1000", session.keeper);   // when the node's memory is full, guests go first (proc_pid_oom_score_adj(5))
  if (!error) error = give_identity(session.keeper);
  if (!error) error = enter_cgroup(session, memory);
  GateMessage go{};
  return error ? error : send_with_fd(session.socket, &go, sizeof go, -1);
}

int Gate::open_session(uint64_t id, uint8_t (&token)[32], const Opening &opening, unsigned long asked_by) {
  if (find_session(id)) return -EEXIST;
  if (sessions_.count >= kSessionsMax) return -EMFILE;
  if (strlen(opening.cgroup) >= sizeof Session::cgroup) return -ENAMETOOLONG;
  uint8_t *place = free_token();
  if (!place) return -ENOMEM;
  memcpy(place, token, sizeof token);
  explicit_bzero(token, sizeof token);
  char path[384];
  snprintf(path, sizeof path, "%s/%s", options_.libexec, opening.freezer ? "mosfreeze" : "moshusk");
  int program = open(path, O_PATH | O_CLOEXEC);
  if (program < 0) return -errno;
  int image = opening.freezer ? make_image(opening.freezer, id) : -1, socket = -1;
  const int cache = opening.cache ? caches_.find(opening.cache, [this](uint64_t number) { return uses_cache(number); }) : -1;
  pid_t keeper = !opening.freezer ? clone_keeper(program, cache, &socket) : image < 0 ? image : start_freezer(program, image, &socket);
  if (image >= 0) close(image);
  close(program);
  if (keeper < 0) return keeper;
  void *memory_for = malloc(sizeof(Session));
  if (!memory_for) {
    kill(keeper, SIGKILL);
    close(socket);
    return -ENOMEM;
  }
  auto *session = new (memory_for) Session{};
  session->id = id;
  session->token = place;
  session->keeper = keeper;
  session->socket = socket;
  session->asked_by = asked_by;
  session->sealed = opening.sealed;
  session->cache = opening.cache;
  session->frozen = opening.freezer;
  session->expires = now_ns(CLOCK_MONOTONIC) + kOpenSeconds * kSecond;
  snprintf(session->cgroup, sizeof session->cgroup, "%s", opening.cgroup);
  sessions_.add(session);
  give_keys(*session);
  // Of a frozen process nothing is left but what its keeper has: it goes last. It needs no memory to speak of.
  int error = session->frozen ? (write_at("/proc/%d/oom_score_adj", "-900", keeper), 0) : let_guest_in(*session, opening.memory);
  if (error) {
    session->asked_by = 0;
    kill_session(*session, "failed");
  }
  return error;
}

void Gate::pass(Session &session, const GateMessage &message, int fd) {
  if (!session.outgoing.add({message, fd})) close(fd);
  flush(session);
}

void Gate::flush(Session &session) {
  while (session.outgoing.count > 0 && session.socket >= 0) {
    Outgoing &next = session.outgoing[0];
    int error = send_with_fd(session.socket, &next.message, sizeof next.message, next.fd);
    if (error == -EAGAIN || error == -ETOOMANYREFS) return;   // a keeper takes its messages at once: the next round tries again
    close(next.fd);
    session.outgoing.remove(0);
  }
}

void Gate::hear_keeper(Session &session) {
  while (session.socket >= 0) {
    KeeperReport report;
    int fd;
    ssize_t got = receive_with_fd(session.socket, &report, sizeof report, &fd);
    if (fd >= 0) close(fd);
    if (got == -EAGAIN) return;
    if (got <= 0) {
      close(session.socket);
      session.socket = -1;
      return;
    }
    if (got != sizeof report) continue;
    report.step[sizeof report.step - 1] = 0;
    switch (report.state) {
      case KeeperState::ready:
        if (session.state != SessionState::preparing) break;
        session.state = SessionState::open;
        answer_open(session, 0, "");
        break;
      case KeeperState::running:
        if (session.state != SessionState::arriving) break;
        session.state = SessionState::running;
        tell_all(session, "running", "");
        break;
      case KeeperState::failed:
        snprintf(session.why, sizeof session.why, "%s: %s", report.step, strerror(report.error));
        log_line("session %016" PRIx64 ": %s", session.id, session.why);
        answer_open(session, report.error, report.step);
        break;
    }
  }
}

void Gate::kill_session(Session &session, const char *why) {
  if (!session.why[0]) snprintf(session.why, sizeof session.why, "%s", why);
  // Everything in the pid namespace dies with its pid 1. An adopted keeper is not our child: its number may have been given away.
  if (session.adopted) syscall(SYS_pidfd_send_signal, session.pidfd, SIGKILL, nullptr, 0);
  else kill(session.keeper, SIGKILL);
}

void Gate::reap() {
  rusage used;
  for (pid_t pid; (pid = wait4(-1, nullptr, WNOHANG, &used)) > 0;) {
    for (Session *session : sessions_) {
      if (session->adopted || session->ended || session->keeper != pid) continue;
      // The keeper has reaped all others of its pid namespace, whose times are in its account then (getrusage(2), RUSAGE_CHILDREN).
      session->cpu_seconds = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
      finish(*session);
    }
  }
}

void Gate::finish(Session &session) {
  hear_keeper(session);
  session.ended = true;
  forget_keys(session);
  if (session.token) explicit_bzero(session.token, 32);
  if (session.asked_by) answer_open(session, ECHILD, session.why[0] ? session.why : "the keeper died");
  for (Outgoing &waiting : session.outgoing) close(waiting.fd);
  session.outgoing.clear();
  if (session.socket >= 0) close(session.socket);
  if (session.pidfd >= 0) close(session.pidfd);
  char path[320];
  state_path(options_.control, session.id, path);
  unlink(path);
  if (session.made_cgroup) {
    if (char *cgroup = strdup(session.cgroup)) cgroups_.add(cgroup);
    remove_cgroups();
  }
  tell_all(session, "ended", session.why[0] ? session.why : "ended");
}

void Gate::remove_cgroups() {
  for (size_t i = cgroups_.count; i-- > 0;) {
    if (rmdir(cgroups_[i]) < 0 && errno == EBUSY) continue;
    free(cgroups_[i]);
    cgroups_.remove(i);
  }
}

// For the next mosgate; a keeper needs none of it. The token is as safe here as in memory: whoever may read one may read the other.
void Gate::write_state(const Session &session) {
  char directory[256], path[320], temporary[328], text[512], token[65] = {};
  state_directory(options_.control, directory);
  mkdir(directory, 0700);
  state_path(options_.control, session.id, path);
  snprintf(temporary, sizeof temporary, "%s.new", path);
  for (int i = 0; i < 32; i++) snprintf(token + 2 * i, 3, "%02x", session.token[i]);
  int length = snprintf(text, sizeof text, "{\"version\":2,\"pid\":%d,\"start_time\":\"%" PRIu64 "\",\"home_pid\":%d,\"token\":\"%s\",\"cgroup\":\"%s\"%s%s}\n",
                        session.keeper, start_time_of(session.keeper), session.home_pid, token, session.made_cgroup ? session.cgroup : "",
                        session.sealed ? kSealedField : "", session.frozen ? kFrozenField : "");
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  bool whole = write(fd, text, static_cast<size_t>(length)) == length;
  close(fd);
  explicit_bzero(text, sizeof text);   // the next keeper is forked from this program
  explicit_bzero(token, sizeof token);
  if (!whole || rename(temporary, path) < 0) unlink(temporary);
}

// Keepers of a mosgate before this one, with their tokens, and the way to them, which they hold for us.
void Gate::adopt_sessions() {
  char directory[256];
  state_directory(options_.control, directory);
  DIR *files = opendir(directory);
  if (!files) return;
  while (dirent *entry = readdir(files)) {
    if (entry->d_name[0] == '.') continue;
    int pid = 0, home_pid = 0, fd = openat(dirfd(files), entry->d_name, O_RDONLY | O_CLOEXEC);
    uint64_t start = 0, id = strtoull(entry->d_name, nullptr, 16);
    char text[512] = {}, cgroup[256] = {}, hex[65] = {};
    if (fd < 0) continue;
    if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
    close(fd);
    int fields = sscanf(text, "{\"version\":2,\"pid\":%d,\"start_time\":\"%" SCNu64 "\",\"home_pid\":%d,\"token\":\"%64[0-9a-f]\",\"cgroup\":\"%255[^\"]", &pid,
                        &start, &home_pid, hex, cgroup);
    bool sealed = strstr(text, kSealedField) != nullptr, frozen = strstr(text, kFrozenField) != nullptr;
    explicit_bzero(text, sizeof text);
    int pidfd = fields >= 4 && pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1;
    // The start time is read after the pidfd is held: then both speak of the same process.
    if (pidfd < 0 || start_time_of(pid) != start) {
      if (pidfd >= 0) close(pidfd);
      unlinkat(dirfd(files), entry->d_name, 0);
      continue;
    }
    auto *session = new (malloc(sizeof(Session))) Session{};
    session->id = id;
    session->state = SessionState::running;
    session->adopted = true;
    session->sealed = sealed;
    session->frozen = frozen;
    session->keeper = pid;
    session->home_pid = home_pid;
    session->pidfd = pidfd;
    session->socket = static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, kGateEnd, 0));
    session->token = free_token();
    for (unsigned i = 0; session->token && i < 32; i++) sscanf(hex + 2 * i, "%2hhx", &session->token[i]);
    explicit_bzero(hex, sizeof hex);
    if (session->socket < 0) log_line("session %016" PRIx64 ": no way to its keeper (%s): it comes home when it needs a channel", id, strerror(errno));
    session->made_cgroup = fields == 5;
    snprintf(session->cgroup, sizeof session->cgroup, "%s", cgroup);
    sessions_.add(session);
  }
  closedir(files);
}

}  // namespace mosrun
