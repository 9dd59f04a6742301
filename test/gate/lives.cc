// How guests, their children, keepers and mosgate end, and what is left of them.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "tests.h"

using namespace mosrun;

void ends_with_home() {
  ControlClient control;
  for (bool with_event : {true, false}) {
    uint64_t session = next_session++;
    {
      Guest guest(control, session, with_event);
      CHECK(guest.fd >= 0 && !nobody_left());
    }
    double closed = now_ms();
    CHECK(within(kSoon, nobody_left));
    CHECK(now_ms() - closed < at_once());
    CHECK(control.event("\"session\":\"" + session_name(session) + "\",\"state\":\"ended\"", 1000));
  }
  // Even when the guest computes and reads nothing: it sleeps here for long.
  Guest guest(control, next_session++);
  GuestCall sleep{GuestWhat::inside, 0, 0, 0, {SYS_poll, 0, 0, 60000}};
  send(guest.fd, &sleep, sizeof sleep, MSG_NOSIGNAL);
  usleep(20000);
  close(guest.event);
  guest.event = -1;
  double closed = now_ms();
  CHECK(within(kSoon, nobody_left));
  CHECK(now_ms() - closed < at_once());
  CHECK(closed_within(guest.fd, 100));
}

constexpr char kNoSessions[] = "{\"ok\":true,\"sessions\":[]}";   // once the keepers of the tests before are reaped too

void leaves_nothing() {
  ControlClient control;
  auto files = [] { return static_cast<int>(read_text("/proc/self/mounts").size()); };
  auto descriptors = [](pid_t pid) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += access(("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd)).c_str(), F_OK) == 0;
    return count;
  };
  CHECK(within(kSoon, [&] { return control.ask("list") == kNoSessions; }));   // nothing of the tests before; its own connection counts
  int mounts = files(), before = descriptors(gate);
  for (int i = 0; i < 20; i++) Guest guest(control, next_session++, i % 2 == 0);
  CHECK(within(kSoon, nobody_left));
  CHECK(within(kSoon, [&] { return descriptors(gate) == before; }));
  CHECK(files() == mounts);
  CHECK(within(kSoon, [&] { return control.ask("list") == kNoSessions; }));
  struct stat status;
  CHECK(stat((directory + "/sessions/" + session_name(next_session - 1)).c_str(), &status) < 0);
}

void ends_with_its_keeper() {
  ControlClient control;
  Guest guest(control, next_session++);
  for (pid_t keeper : keepers()) kill(keeper, SIGKILL);
  CHECK(within(kSoon, nobody_left));
  CHECK(closed_within(guest.fd, 200));
  CHECK(control.event("\"session\":\"" + session_name(guest.session) + "\",\"state\":\"ended\"", 1000));
  CHECK(within(kSoon, [&] { return control.ask("list") == kNoSessions; }));
}

void watches_children() {
  ControlClient control;
  uint64_t session = next_session++;
  Guest guest(control, session);
  Opening opening;
  opening.session = session;
  opening.token = token_of(static_cast<int>(session));
  opening.kind = ChannelKind::spare;
  opening.index = 9;
  int spare = open_channel(opening);
  CHECK(welcome(spare) == 0);
  // A child that only sleeps: it shares the parent's memory until then (vfork's way would stop the parent), so it is a plain fork that waits in poll.
  // Both return from clone into the loop and both would read the channel; the child's answer comes too, with result 0.
  GuestCall fork{GuestWhat::inside, 0, 0, 0, {SYS_clone, CLONE_PARENT, 0, 0, 0, 0}};
  send(guest.fd, &fork, sizeof fork, MSG_NOSIGNAL);
  GuestAnswer one, two;
  CHECK(read_exactly(guest.fd, &one, sizeof one, 2000) && read_exactly(guest.fd, &two, sizeof two, 2000));
  auto child = static_cast<pid_t>(std::max(one.result, two.result));
  CHECK(child > 1);
  CHECK(within(kSoon, [] { return husks().size() == 2; }));
  PoolMessage claim{PoolType::watch, ChannelKind::event, 9, child, 0};
  // Whoever of the two reads this carries it out; the claim names the child.
  GuestCall put{GuestWhat::describe, sizeof claim, 0, 0, {}};
  GuestAnswer answer;
  std::string both(reinterpret_cast<char *>(&put), sizeof put);
  both.append(reinterpret_cast<char *>(&claim), sizeof claim);
  GuestCall tell{GuestWhat::inside, 0, 0, 0, {SYS_sendto, static_cast<uint64_t>(guest.last.pool), kBuffer, sizeof claim, 0, 0, 0}};
  // Only one process may read at a time: stop the child from here, as root of the host.
  for (pid_t husk : husks()) {
    if (has(read_text("/proc/" + std::to_string(husk) + "/status"), "\t" + std::to_string(husk) + "\t" + std::to_string(child) + "\n")) kill(husk, SIGSTOP);
  }
  usleep(30000);
  guest.call({SYS_getpid});
  tell.call[1] = static_cast<uint64_t>(guest.last.pool);
  send(guest.fd, both.data(), both.size(), MSG_NOSIGNAL);
  CHECK(read_exactly(guest.fd, &answer, sizeof answer, 2000));
  send(guest.fd, &tell, sizeof tell, MSG_NOSIGNAL);
  CHECK(read_exactly(guest.fd, &answer, sizeof answer, 2000) && answer.result == sizeof claim);
  usleep(20000);
  CHECK(husks().size() == 2);
  close(spare);
  double closed = now_ms();
  CHECK(within(kSoon, [] { return husks().size() == 1; }));
  CHECK(now_ms() - closed < at_once());
  CHECK(guest.call({SYS_getpid}) == kPid);
  // A claim for a channel that is not there any more ends the one who claims it: here, the guest itself.
  claim = {PoolType::watch, ChannelKind::event, 77, kPid, 0};
  guest.put(std::string(reinterpret_cast<char *>(&claim), sizeof claim));
  tell.call[1] = static_cast<uint64_t>(guest.last.pool);
  send(guest.fd, &tell, sizeof tell, MSG_NOSIGNAL);
  CHECK(within(kSoon, nobody_left));
}

void ends_unclaimed_children() {
  ControlClient control;
  {
    Guest guest(control, next_session++);
    GuestCall fork{GuestWhat::inside, 0, 0, 0, {SYS_clone, CLONE_PARENT, 0, 0, 0, 0}};
    send(guest.fd, &fork, sizeof fork, MSG_NOSIGNAL);
    GuestAnswer one, two;
    CHECK(read_exactly(guest.fd, &one, sizeof one, 2000) && read_exactly(guest.fd, &two, sizeof two, 2000));
    // Neither will read on.
    for (pid_t husk : husks()) kill(husk, SIGSTOP);
  }
  CHECK(within(kSoon, [] { return husks().size() == 1; }));
  CHECK(within(kSoon, nobody_left));
}

void outlives_mosgate() {
  uint64_t session = next_session++;
  auto *control = new ControlClient;
  Guest guest(*control, session);
  uint64_t unused = next_session++;
  control->ask("open " + session_name(unused) + " " + token_of(4).hex());
  CHECK(run_gate() == 0);   // a second one leaves the place to the first
  stop_gate(gate, SIGKILL);
  delete control;
  CHECK(guest.call({SYS_getpid}) == kPid);
  CHECK(within(kSoon, [] { return keepers().size() == 1; }));   // the session nobody came to is gone
  gate = start_gate();
  ControlClient again;
  std::string list = again.ask("list");
  CHECK(has(list, session_name(session)) && has(list, "\"state\":\"running\",\"home_pid\":23456") && has(list, "\"adopted\":true"));
  CHECK(!has(list, session_name(unused)));
  CHECK(guest.call({SYS_getpid}) == kPid);
  // What home opens with a mosgate that did not make the guest reaches it all the same.
  Opening opening;
  opening.session = session;
  opening.token = token_of(static_cast<int>(session));
  opening.kind = ChannelKind::spare;
  int spare = open_channel(opening);
  CHECK(welcome(spare) == 0);
  GuestCall take{GuestWhat::inside, 0, 0, 0, {SYS_recvfrom, static_cast<uint64_t>(guest.last.pool), kBuffer, sizeof(PoolMessage), MSG_DONTWAIT, 0, 0}};
  CHECK(within(kSoon, [&] {
    GuestAnswer answer;
    return send(guest.fd, &take, sizeof take, MSG_NOSIGNAL) == sizeof take && read_exactly(guest.fd, &answer, sizeof answer, 2000) &&
           answer.result == sizeof(PoolMessage);
  }));
  close(spare);
  opening.token = token_of(3);
  CHECK(welcome(open_channel(opening)) < 0);
  CHECK(again.ask("kill " + session_name(session)) == "{\"ok\":true}");
  CHECK(again.event("\"state\":\"ended\"", 1000));
  CHECK(within(kSoon, nobody_left));
  CHECK(again.ask("list") == "{\"ok\":true,\"sessions\":[]}");
  // And by its own end, seen by a mosgate that did not start it.
  session = next_session++;
  {
    ControlClient first;
    Guest second(first, session);
    CHECK(within(kSoon, [&] { return first.ask("quit") == "{\"ok\":true}"; }));   // it knows a moment later that its guest has come
    stop_gate(gate, SIGTERM);
    gate = start_gate();
    CHECK(second.call({SYS_getpid}) == kPid);
  }
  ControlClient last;
  CHECK(within(kSoon, [&] { return last.ask("list") == "{\"ok\":true,\"sessions\":[]}"; }));
  CHECK(within(kSoon, nobody_left));
}

void uses_a_control_group() {
  std::string root;
  for (const char *candidate : {"/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
    if (access((std::string(candidate) + "/cgroup.procs").c_str(), W_OK) == 0) {
      root = candidate;
      break;
    }
  }
  if (root.empty()) {
    printf("skipped %s: no control group can be written here\n", current);
    return;
  }
  ControlClient control;
  std::string group = root + "/mosgate-test-" + std::to_string(getpid());
  {
    Guest guest(control, next_session++, true, " 67108864 " + group);
    CHECK(guest.fd >= 0);
    if (keepers().empty() || husks().empty()) return;
    pid_t keeper = keepers()[0], husk = husks()[0];
    std::string procs = "\n" + read_text(group + "/cgroup.procs");
    CHECK(has(procs, "\n" + std::to_string(keeper) + "\n") && has(procs, "\n" + std::to_string(husk) + "\n"));
    std::string limit = read_text(group + "/memory.limit_in_bytes") + read_text(group + "/memory.max");
    CHECK(limit.empty() || limit == "67108864\n");
    if (!limit.empty()) {
      // More than it may have: it ends, its home learns so at once, nobody else is touched.
      int64_t memory = guest.call({SYS_mmap, 0, 512 << 20, 3, 0x22, ~0ull, 0});
      GuestCall populate{GuestWhat::inside, 0, 0, 0, {SYS_madvise, static_cast<uint64_t>(memory), 512 << 20, 23}};   // MADV_POPULATE_WRITE
      send(guest.fd, &populate, sizeof populate, MSG_NOSIGNAL);
      CHECK(closed_within(guest.event, 10000));
      CHECK(closed_within(guest.fd, 200));
    }
  }
  CHECK(within(kSoon, [&] { return access(group.c_str(), F_OK) < 0; }));
}

void expires() {
  ControlClient control;
  uint64_t session = next_session++;
  double opened = now_ms();
  control.ask("open " + session_name(session) + " " + token_of(2).hex());
  CHECK(control.event("\"session\":\"" + session_name(session) + "\",\"state\":\"ended\",\"why\":\"nobody came\"", 31500));
  CHECK(now_ms() - opened > 29500);
  Opening opening;
  opening.session = session;
  opening.token = token_of(2);
  CHECK(open_channel(opening) < 0);
  CHECK(within(kSoon, nobody_left));
}
