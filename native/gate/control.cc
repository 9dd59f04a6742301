// The control socket, for the superuser of this node: a command a line, a JSON line in answer, in order; events in between.
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <new>

#include "gate.h"

namespace mosrun {

namespace {

bool parse_hex(const char *text, uint8_t *out, size_t bytes) {
  if (strlen(text) != 2 * bytes) return false;
  for (size_t i = 0; i < 2 * bytes; i++) {
    if (!isxdigit(static_cast<unsigned char>(text[i]))) return false;
    int digit = isdigit(static_cast<unsigned char>(text[i])) ? text[i] - '0' : tolower(text[i]) - 'a' + 10;
    out[i / 2] = static_cast<uint8_t>(i % 2 ? out[i / 2] | digit : digit << 4);
  }
  return true;
}

bool parse_session(const char *text, uint64_t &id) {
  uint8_t bytes[8];
  if (!parse_hex(text, bytes, 8)) return false;
  id = 0;
  for (uint8_t byte : bytes) id = id << 8 | byte;
  return true;
}

bool parse_number(const char *text, uint64_t &number) {
  char *end;
  if (!isdigit(static_cast<unsigned char>(*text))) return false;
  errno = 0;
  number = strtoull(text, &end, 10);
  return *end == 0 && errno == 0;
}

const char *state_name(SessionState state) {
  switch (state) {
    case SessionState::preparing:
    case SessionState::open: return "open";
    case SessionState::arriving: return "arriving";
    case SessionState::running: return "running";
  }
  return "open";
}

}  // namespace

void Gate::accept_control() {
  int fd = accept4(control_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  ucred peer{};
  socklen_t size = sizeof peer;
  bool allowed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0 && clients_.count < kClientsMax;
  auto *client = allowed ? new (malloc(sizeof(Client))) Client{} : nullptr;
  if (!client || !clients_.add(client)) {
    free(client);
    close(fd);
    return;
  }
  client->id = ++client_ids_;
  client->fd = fd;
  client->descriptor = -1;
}

void Gate::read_control(Client &client) {
  if (client.waiting) return;
  int descriptor;
  ssize_t got = receive_with_fd(client.fd, client.input + client.have, sizeof client.input - client.have, &descriptor);
  if (descriptor >= 0) {
    if (client.descriptor >= 0) close(client.descriptor);
    client.descriptor = descriptor;
  }
  if (got == -EAGAIN) return;
  if (got <= 0) {
    client.over = true;
    return;
  }
  client.have += static_cast<size_t>(got);
  run_lines(client);
}

void Gate::run_lines(Client &client) {
  while (!client.waiting && !client.over) {
    auto *end = static_cast<char *>(memchr(client.input, '\n', client.have));
    if (!end) {
      if (client.have == sizeof client.input) client.over = true;   // no command is this long
      return;
    }
    *end = 0;
    char line[sizeof client.input];
    size_t length = static_cast<size_t>(end - client.input) + 1;
    memcpy(line, client.input, length);
    client.have -= length;
    memmove(client.input, client.input + length, client.have);
    explicit_bzero(client.input + client.have, length);   // it may have held a token
    command(client, line);
  }
}

void Gate::command(Client &client, char *line) {
  char *words[6], *rest = nullptr;
  int count = 0;
  for (char *word = strtok_r(line, " \t\r", &rest); word && count < 6; word = strtok_r(nullptr, " \t\r", &rest)) words[count++] = word;
  if (count == 0) return answer(client, "{\"ok\":false,\"code\":\"usage\",\"error\":\"empty command\"}");
  uint64_t id;
  if (!strcmp(words[0], "ping") && count == 1) {
    answer(client, "{\"ok\":true,\"version\":\"%s\",\"pid\":%d,\"protocol\":%u}", kVersion, getpid(), kProtocol);
  } else if (!strcmp(words[0], "open")) {
    command_open(client, words, count);
  } else if (!strcmp(words[0], "freeze")) {
    command_freeze(client, words, count);
  } else if (!strcmp(words[0], "kill") && count == 2 && parse_session(words[1], id)) {
    Session *session = find_session(id);
    if (!session) return answer(client, "{\"ok\":false,\"code\":\"not-found\",\"error\":\"no such session\"}");
    kill_session(*session, "killed");
    answer(client, "{\"ok\":true}");
  } else if (!strcmp(words[0], "pass") && count == 4) {
    command_pass(client, words, count);
  } else if (!strcmp(words[0], "route")) {
    command_route(client, words, count);
  } else if (!strcmp(words[0], "unroute") && count == 2 && parse_session(words[1], id)) {
    drop_route(id);
    answer(client, "{\"ok\":true}");
  } else if (!strcmp(words[0], "list") && (count == 1 || (count == 2 && (!strcmp(words[1], "names") || parse_session(words[1], id))))) {
    command_list(client, count == 1 ? nullptr : words[1]);
  } else if (!strcmp(words[0], "quit") && count == 1) {
    // Guests that run are found again by the next one; those on their way are not.
    unsigned coming = 0;
    for (Session *session : sessions_) coming += session->state != SessionState::running;
    if (coming > 0) return answer(client, "{\"ok\":false,\"code\":\"busy\",\"error\":\"%u sessions are coming\"}", coming);
    quit_ = true;
    answer(client, "{\"ok\":true}");
  } else {
    answer(client, "{\"ok\":false,\"code\":\"usage\",\"error\":\"ping | open SESSION TOKEN [BYTES [CGROUP [sealed] [cache=NUMBER]]] | freeze SESSION TOKEN DIRECTORY [sealed] | kill SESSION | pass SESSION PID NUMBER | route SESSION session|memory KEY ADDRESS PORT | unroute SESSION | list [SESSION|names] | quit\"}");
  }
}

void Gate::command_open(Client &client, char **words, int count) {
  uint64_t id, memory = 0;
  uint8_t token[32];
  const bool sealed = count > 5 && !strcmp(words[5], "sealed");
  uint64_t cache = 0;
  const int last = 5 + sealed;
  const bool caches = count == last + 1 && !strncmp(words[last], "cache=", 6) && parse_session(words[last] + 6, cache);
  if (count < 3 || (count > last && !caches) || !parse_session(words[1], id) || !parse_hex(words[2], token, 32) || (count > 3 && !parse_number(words[3], memory))) {
    return answer(client, "{\"ok\":false,\"code\":\"usage\",\"error\":\"open SESSION TOKEN [BYTES [CGROUP [sealed] [cache=NUMBER]]]\"}");
  }
  // Only the table of tokens keeps it from here on, since a keeper is forked from this very call.
  explicit_bzero(words[2], strlen(words[2]));
  open_for(client, id, token, {memory, count > 4 && strcmp(words[4], "-") ? words[4] : "", nullptr, sealed, cache});
}

// A session for a process that is to be kept on disk, in a file of that directory.
void Gate::command_freeze(Client &client, char **words, int count) {
  uint64_t id;
  uint8_t token[32];
  bool sealed = count == 5 && !strcmp(words[4], "sealed");
  if ((count != 4 && !sealed) || !parse_session(words[1], id) || !parse_hex(words[2], token, 32) || words[3][0] != '/') {
    return answer(client, "{\"ok\":false,\"code\":\"usage\",\"error\":\"freeze SESSION TOKEN DIRECTORY [sealed]\"}");
  }
  explicit_bzero(words[2], strlen(words[2]));
  open_for(client, id, token, {0, "", words[3], sealed});
}

void Gate::open_for(Client &client, uint64_t id, uint8_t (&token)[32], const Opening &opening) {
  if (opening.sealed && need_seal()) return answer(client, "{\"ok\":false,\"code\":\"failed\",\"error\":\"%s\"}", kNoSeal);
  int error = open_session(id, token, opening, client.id);
  if (error) return answer(client, "{\"ok\":false,\"code\":\"%s\",\"error\":\"%s\"}", error == -EEXIST ? "exists" : "failed", strerror(-error));
  client.waiting = true;
}

// The descriptor that came with it, a stream to another hosting node, goes to the guest process of that number.
void Gate::command_pass(Client &client, char **words, int count) {
  uint64_t id, pid, number;
  int channel = client.descriptor;
  client.descriptor = -1;
  auto refuse = [&](const char *code, const char *why) {
    if (channel >= 0) close(channel);
    answer(client, "{\"ok\":false,\"code\":\"%s\",\"error\":\"%s\"}", code, why);
  };
  if (count != 4 || channel < 0 || !parse_session(words[1], id) || !parse_number(words[2], pid) || !parse_number(words[3], number) || pid > INT32_MAX || number > UINT16_MAX) {
    return refuse("usage", "pass SESSION PID NUMBER, with a descriptor");
  }
  Session *session = find_session(id);
  if (!session || session->socket < 0) return refuse("not-found", "no such session, or one of a mosgate before this one");
  GateMessage message{{PoolType::channel, ChannelKind::memory, static_cast<uint16_t>(number), 0, static_cast<int32_t>(pid)}, {}};
  pass(*session, message, channel);
  answer(client, "{\"ok\":true}");
}

// Whose channels are to be encrypted on their way, and where to.
void Gate::command_route(Client &client, char **words, int count) {
  uint64_t id, port;
  in_addr address;
  uint8_t key[32];
  bool memory = count == 6 && !strcmp(words[2], "memory");
  if (count != 6 || !parse_session(words[1], id) || (!memory && strcmp(words[2], "session")) || !parse_hex(words[3], key, 32) ||
      inet_pton(AF_INET, words[4], &address) != 1 || !parse_number(words[5], port) || port < 1 || port > 65535) {
    return answer(client, "{\"ok\":false,\"code\":\"usage\",\"error\":\"route SESSION session|memory KEY ADDRESS PORT\"}");
  }
  explicit_bzero(words[3], strlen(words[3]));
  if (make_route(id, memory, key, address.s_addr, htons(static_cast<uint16_t>(port)))) {
    return answer(client, "{\"ok\":false,\"code\":\"failed\",\"error\":\"%s\"}", kNoSeal);
  }
  answer(client, "{\"ok\":true,\"seal\":%u}", seal_number_);
}

void Gate::answer_open(Session &session, int error, const char *step) {
  unsigned long asked_by = session.asked_by;
  session.asked_by = 0;
  for (Client *client : clients_) {
    if (client->id != asked_by || !client->waiting) continue;
    client->waiting = false;
    if (error) answer(*client, "{\"ok\":false,\"code\":\"failed\",\"error\":\"%s: %s\"}", step, strerror(error));
    else answer(*client, "{\"ok\":true}");
  }
}

// Of one session, of all, or the names of all: what they use is found out process by process.
void Gate::command_list(Client &client, const char *which) {
  uint64_t wanted = 0;
  const bool names = which && !strcmp(which, "names"), one = which && !names && parse_session(which, wanted);
  Array<char> &out = client.output;
  auto add = [&out](const char *text) {
    while (*text) out.add(*text++);
  };
  add("{\"ok\":true,\"sessions\":[");
  bool first = true;
  for (Session *session : sessions_) {
    if (session->ended || (one && session->id != wanted)) continue;
    char text[448];
    if (names) {
      snprintf(text, sizeof text, "%s{\"session\":\"%016lx\",\"state\":\"%s\",\"keeper\":%d,\"frozen\":%s}", first ? "" : ",", session->id,
               state_name(session->state), session->keeper, session->frozen ? "true" : "false");
      add(text);
      first = false;
      continue;
    }
    Usage usage = usage_of(session->keeper);
    snprintf(text, sizeof text,
             "%s{\"session\":\"%016lx\",\"state\":\"%s\",\"home_pid\":%d,\"pid\":%d,\"keeper\":%d,\"cpu_seconds\":%.2f,\"rss_bytes\":%lu,\"threads\":%u,"
             "\"adopted\":%s,\"sealed\":%s,\"frozen\":%s}",
             first ? "" : ",", session->id, state_name(session->state), session->home_pid, usage.leader, session->keeper, usage.cpu_seconds, usage.rss_bytes,
             usage.threads, session->adopted ? "true" : "false", session->sealed ? "true" : "false", session->frozen ? "true" : "false");
    add(text);
    first = false;
  }
  add("]}\n");
  write_control(client);
}

void Gate::answer(Client &client, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (const char *at = text; *at; at++) client.output.add(*at);
  client.output.add('\n');
  write_control(client);
}

void Gate::tell_all(const Session &session, const char *state, const char *why) {
  char used[48] = "";
  if (session.cpu_seconds >= 0) snprintf(used, sizeof used, ",\"cpu_seconds\":%.6f", session.cpu_seconds);
  for (Client *client : clients_) {
    if (!client->over) answer(*client, "{\"event\":\"session\",\"session\":\"%016lx\",\"state\":\"%s\",\"why\":\"%s\",\"keeper\":%d%s}", session.id, state, why, session.keeper, used);
  }
}

void Gate::write_control(Client &client) {
  while (client.output.count > 0 && !client.over) {
    ssize_t sent = send(client.fd, client.output.items, client.output.count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0) {
      client.over = true;
      return;
    }
    client.output.count -= static_cast<size_t>(sent);
    memmove(client.output.items, client.output.items + sent, client.output.count);
  }
  if (client.output.count > kOutputMax) client.over = true;
}

}  // namespace mosrun
