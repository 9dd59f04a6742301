// mosgate: owns a node's data port, makes keepers and their guests, and hands arriving channels to them. It outlives the daemon, and guests outlive it.
//
//   mosgate --listen IP --port N --control PATH --libexec DIR [--foreground]
//   mosgate --version      and that of the protocol between nodes: programs that are away cannot come to another
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

#include "engine/log.h"
#include "gate.h"

namespace mosrun {

namespace {

int unix_address(const char *path, sockaddr_un &address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, strlen(path) + 1);
  return 0;
}

int listen_data(const char *text, int port) {
  union {
    sockaddr any;
    sockaddr_in four;
    sockaddr_in6 six;
  } address{};
  socklen_t size;
  if (inet_pton(AF_INET, text, &address.four.sin_addr) == 1) {
    address.four.sin_family = AF_INET;
    address.four.sin_port = htons(static_cast<uint16_t>(port));
    size = sizeof address.four;
  } else if (inet_pton(AF_INET6, text, &address.six.sin6_addr) == 1) {
    address.six.sin6_family = AF_INET6;
    address.six.sin6_port = htons(static_cast<uint16_t>(port));
    size = sizeof address.six;
  } else {
    return -EINVAL;
  }
  int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, &address.any, size) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  int error = -errno;
  close(fd);
  return error;
}

int listen_control(const char *path) {
  sockaddr_un address;
  if (int error = unix_address(path, address)) return error;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  unlink(path);   // the lock says that nobody listens there
  mode_t before = umask(0177);
  bool bound = bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0;
  umask(before);
  if (bound && listen(fd, 16) == 0) return fd;
  int error = -errno;
  close(fd);
  return error;
}

bool other_answers(const char *path) {
  sockaddr_un address;
  if (unix_address(path, address)) return false;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  char reply[256] = {};
  bool answers = connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0 && send(fd, "ping\n", 5, MSG_NOSIGNAL) == 5 &&
                 recv(fd, reply, sizeof reply - 1, 0) > 0 && strstr(reply, "\"ok\":true");
  close(fd);
  return answers;
}

// One at a time. The lock is held as long as this program lives, and by nobody else: keepers close what they inherit. Its file tells who has it.
int take_lock(const char *control) {
  char path[320];
  snprintf(path, sizeof path, "%s.lock", control);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return -errno;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  int error = -errno;
  close(fd);
  return error;
}

bool daemonize(const char *control) {
  char log[320];
  const char *slash = strrchr(control, '/');
  snprintf(log, sizeof log, "%.*s/gate.log", slash ? static_cast<int>(slash - control) : 1, slash ? control : ".");
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_t child = fork();
  if (child < 0) return false;
  if (child > 0) _exit(0);   // both sockets listen already
  setsid();
  if (chdir("/") < 0) return false;
  for (int fd = 0; fd < 3 && null >= 0; fd++) dup2(null, fd);
  log_descriptor = out;
  return true;
}

}  // namespace

int Gate::start(const char **what) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  *what = "signals";
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) return -errno;
  *what = "data port";
  data_ = listen_data(options_.address, options_.port);
  if (data_ < 0) return data_;
  *what = "control socket";
  control_ = listen_control(options_.control);
  return control_ < 0 ? control_ : 0;
}

int64_t Gate::next_deadline() {
  int64_t next = INT64_MAX;
  auto earlier = [&next](int64_t deadline) {
    if (deadline < next) next = deadline;
  };
  for (Session *session : sessions_) {
    if (session->expires) earlier(session->expires);
    if (session->outgoing.count > 0) earlier(now_ns(CLOCK_MONOTONIC) + kSecond / 100);
  }
  for (Arrival *arrival : arrivals_) earlier(arrival_deadline(*arrival));
  if (cgroups_.count > 0) earlier(now_ns(CLOCK_MONOTONIC) + kSecond / 20);
  if (caches_.any()) earlier(caches_looked_ + kCachesLook);
  return next;
}

void Gate::expire(int64_t now) {
  if (caches_.any() && caches_looked_ + kCachesLook <= now) {
    caches_looked_ = now;
    caches_.sweep(now, [this](uint64_t number) { return uses_cache(number); });
  }
  for (Session *session : sessions_) {
    if (session->expires && session->expires <= now) {
      session->expires = 0;
      kill_session(*session, "nobody came");
    }
    flush(*session);
  }
  for (Arrival *arrival : arrivals_) {
    if (arrival_deadline(*arrival) <= now) arrival->over = true;
  }
  remove_cgroups();
}

void Gate::sweep() {
  for (size_t i = arrivals_.count; i-- > 0;) {
    if (!arrivals_[i]->over) continue;
    if (arrivals_[i]->sealing) shutdown(arrivals_[i]->fd, SHUT_RDWR);   // mosseal hears it so
    if (arrivals_[i]->fd >= 0) close(arrivals_[i]->fd);
    free(arrivals_[i]);
    arrivals_.remove(i);
  }
  for (size_t i = clients_.count; i-- > 0;) {
    if (!clients_[i]->over) continue;
    close(clients_[i]->fd);
    if (clients_[i]->descriptor >= 0) close(clients_[i]->descriptor);
    clients_[i]->~Client();
    free(clients_[i]);
    clients_.remove(i);
  }
  for (size_t i = sessions_.count; i-- > 0;) {
    if (!sessions_[i]->ended) continue;
    sessions_[i]->~Session();
    free(sessions_[i]);
    sessions_.remove(i);
  }
}

// Nothing is removed from the lists between poll and sweep, so the entries of one round keep their places; what arrives meanwhile comes after them.
void Gate::round() {
  set_.clear();
  set_.add({signals_, POLLIN, 0});
  set_.add({control_, POLLIN, 0});
  set_.add({arrivals_.count < kArrivalsMax ? data_ : -1, POLLIN, 0});
  set_.add({seal_, POLLIN, 0});
  for (Session *session : sessions_) set_.add({session->adopted ? session->pidfd : session->socket, POLLIN, 0});
  for (Arrival *arrival : arrivals_) set_.add({arrival->sealing ? -1 : arrival->fd, POLLIN, 0});
  // A client that waits for a keeper is not read on, but its hanging up must not wake the loop for ever: so it is not polled at all.
  for (Client *client : clients_) set_.add({client->waiting ? -1 : client->fd, static_cast<short>(POLLIN | (client->output.count ? POLLOUT : 0)), 0});
  size_t sessions = sessions_.count, arrivals = arrivals_.count, clients = clients_.count;

  int64_t until = next_deadline(), now = now_ns(CLOCK_MONOTONIC);
  int timeout = until == INT64_MAX ? -1 : until <= now ? 0 : static_cast<int>((until - now) / 1000000 + 1);
  if (poll(set_.items, set_.count, timeout) < 0) return;

  const pollfd *ready = set_.items + 4;
  for (size_t i = 0; i < sessions; i++, ready++) {
    if (!ready->revents) continue;
    if (sessions_[i]->adopted) finish(*sessions_[i]);
    else hear_keeper(*sessions_[i]);
  }
  for (size_t i = 0; i < arrivals; i++, ready++) {
    if (ready->revents) read_arrival(*arrivals_[i]);
  }
  for (size_t i = 0; i < clients; i++, ready++) {
    if (ready->revents & POLLOUT) write_control(*clients_[i]);
    if (ready->revents & ~POLLOUT) read_control(*clients_[i]);
  }
  if (set_[0].revents) {
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) quit_ = true;
    }
    reap();
  }
  for (size_t i = 0; i < clients_.count; i++) run_lines(*clients_[i]);   // behind an `open` that was answered in this round
  if (set_[3].revents) hear_seal();
  if (set_[1].revents) accept_control();
  if (set_[2].revents) accept_arrivals();
  expire(now_ns(CLOCK_MONOTONIC));
  sweep();
}

int Gate::run() {
  while (!quit_) round();
  // Guests go on. Sessions nobody came to end: their keepers see this end of the socket close.
  unlink(options_.control);
  log_line("ends; %zu sessions", sessions_.count);
  return 0;
}

}  // namespace mosrun

using namespace mosrun;

static int usage() {
  fprintf(stderr, "usage: mosgate --listen IP --port N --control PATH --libexec DIR [--foreground]\n");
  return 2;
}

int main(int count, char **arguments) {
  static const option kOptions[] = {{"listen", 1, nullptr, 'l'},  {"port", 1, nullptr, 'p'},       {"control", 1, nullptr, 'c'},
                                    {"libexec", 1, nullptr, 'x'}, {"foreground", 0, nullptr, 'f'}, {nullptr, 0, nullptr, 0}};
  log_name = "mosgate";
  GateOptions options;
  if (count == 2 && !strcmp(arguments[1], "--version")) return printf("mosgate %s protocol %u\n", kVersion, kProtocol) < 0;
  for (int letter; (letter = getopt_long(count, arguments, "", kOptions, nullptr)) != -1;) {
    switch (letter) {
      case 'l': options.address = optarg; break;
      case 'p': options.port = atoi(optarg); break;
      case 'c': options.control = optarg; break;
      case 'x': options.libexec = optarg; break;
      case 'f': options.foreground = true; break;
      default: return usage();
    }
  }
  if (!options.address || !options.control || !options.libexec || options.port < 1 || options.port > 65535 || optind != count) return usage();
  signal(SIGPIPE, SIG_IGN);
  int lock = take_lock(options.control);
  if (lock == -EWOULDBLOCK) {
    if (other_answers(options.control)) return 0;
    fprintf(stderr, "mosgate: another one holds %s.lock and does not answer: end it first\n", options.control);
    return 1;
  }
  if (lock < 0) {
    fprintf(stderr, "mosgate: %s.lock: %s\n", options.control, strerror(-lock));
    return 1;
  }
  static Gate gate(options);
  const char *what = "";
  if (int error = gate.start(&what)) {
    fprintf(stderr, "mosgate: %s (%s port %d, %s): %s\n", what, options.address, options.port, options.control, strerror(-error));
    return 1;
  }
  if (!options.foreground && !daemonize(options.control)) {
    fprintf(stderr, "mosgate: cannot become a daemon: %s\n", strerror(errno));
    return 1;
  }
  if (ftruncate(lock, 0) == 0) dprintf(lock, "%d\n", getpid());
  log_line("listens on %s port %d", options.address, options.port);
  gate.adopt_sessions();
  return gate.run();
}
