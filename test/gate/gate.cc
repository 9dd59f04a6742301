// mosgate, keeper and husk as a whole. Run as root; prints one line a test.
// With an argument, only the tests with that text in their names; without, all but the one that waits half a minute.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "engine/sha256.h"
#include "gate/filter.h"
#include "harness.h"

using namespace mosrun;

static int failures, checks_failed;
static const char *current;
#define CHECK(condition)                                                                   \
  do {                                                                                     \
    if (!(condition) && checks_failed++ < 5) printf("# %s: line %d: %s\n", current, __LINE__, #condition); \
  } while (0)

static uint64_t next_session = 100;
static pid_t gate;

static void answers_commands() {
  ControlClient control;
  CHECK(has(control.ask("ping"), "\"ok\":true,\"version\":\"0.1.0\""));
  CHECK(control.ask("list") == "{\"ok\":true,\"sessions\":[]}");
  for (const char *wrong : {"", "pong", "open", "open 12 34", "kill 12", "list all", "ping ping ping ping ping ping ping ping"}) {
    CHECK(has(control.ask(wrong), "\"ok\":false"));
  }
  CHECK(has(control.ask("kill 00000000000000aa"), "not-found"));
  std::string open = "open 00000000000000ab " + token_of(1).hex();
  CHECK(control.ask(open) == "{\"ok\":true}");
  CHECK(has(control.ask(open), "exists"));
  CHECK(has(control.ask("list"), "\"state\":\"open\""));
  CHECK(has(control.ask("quit"), "busy"));
  CHECK(control.ask("kill 00000000000000ab") == "{\"ok\":true}");
  CHECK(control.event("\"state\":\"ended\",\"why\":\"killed\"", 1000));
  CHECK(within(500, nobody_left));
  // Several commands in one packet, one of them slow, are answered in order.
  std::string three = "open 00000000000000ac " + token_of(1).hex() + "\nlist\nkill 00000000000000ac\n";
  send(control.fd, three.data(), three.size(), MSG_NOSIGNAL);
  CHECK(control.read_line(2000) == "{\"ok\":true}");
  CHECK(has(control.read_line(2000), "00000000000000ac"));
  CHECK(control.read_line(2000) == "{\"ok\":true}");
  std::string endless(5000, 'x');
  send(control.fd, endless.data(), endless.size(), MSG_NOSIGNAL);
  CHECK(closed_within(control.fd, 1000));
  CHECK(within(500, nobody_left));
}

static void starts_a_guest() {
  ControlClient control;
  Guest guest(control, next_session++);
  CHECK(guest.fd >= 0);
  CHECK(guest.call({SYS_getpid}) == kPid);
  CHECK(guest.call({SYS_gettid}) == kPid);
  CHECK(guest.call({SYS_getppid}) == 1);
  CHECK(guest.last.event >= 0 && guest.last.pool >= 0 && guest.last.maps >= 0 && guest.last.pagemap >= 0 && guest.last.uffd >= 0);
  CHECK(guest.last.filter_length > 100);
  CHECK(control.event("\"state\":\"running\"", 1000));
  std::string list = control.ask("list");
  CHECK(has(list, "\"state\":\"running\",\"home_pid\":23456"));
  CHECK(has(list, "\"threads\":1"));
  std::string mask(8, 0);
  guest.say(GuestWhat::inside, {SYS_rt_sigprocmask, 0, 0, kBuffer, 8});
  mask = guest.get(8);
  CHECK(mask.substr(0, 8) == std::string("\xff\xfe\xfb\xff\xff\xff\xff\xff", 8) || mask == std::string(8, '\xff') || (static_cast<unsigned char>(mask[4]) == 0xff));
  guest.call({SYS_prlimit64, 0, RLIMIT_STACK, 0, kBuffer});
  uint64_t stack[2];
  memcpy(stack, guest.get(16).data(), 16);
  CHECK(stack[0] == 8 << 20);
}

static void ends_with_home() {
  ControlClient control;
  for (bool with_event : {true, false}) {
    uint64_t session = next_session++;
    {
      Guest guest(control, session, with_event);
      CHECK(guest.fd >= 0 && !nobody_left());
    }
    double closed = now_ms();
    CHECK(within(1000, nobody_left));
    CHECK(now_ms() - closed < 100);
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
  CHECK(within(1000, nobody_left));
  CHECK(now_ms() - closed < 100);
  CHECK(closed_within(guest.fd, 100));
}

static void leaves_nothing() {
  ControlClient control;
  auto files = [] { return static_cast<int>(read_text("/proc/self/mounts").size()); };
  auto descriptors = [](pid_t pid) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += access(("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd)).c_str(), F_OK) == 0;
    return count;
  };
  int mounts = files(), before = descriptors(gate);
  for (int i = 0; i < 20; i++) Guest guest(control, next_session++, i % 2 == 0);
  CHECK(within(1000, nobody_left));
  CHECK(within(500, [&] { return descriptors(gate) == before; }));
  CHECK(files() == mounts);
  CHECK(control.ask("list") == "{\"ok\":true,\"sessions\":[]}");
  struct stat status;
  CHECK(stat((directory + "/sessions/" + session_name(next_session - 1)).c_str(), &status) < 0);
}

static void refuses_strangers() {
  ControlClient control;
  uint64_t session = next_session++;
  control.ask("open " + session_name(session) + " " + token_of(5).hex());
  Opening right;
  right.session = session;
  right.token = token_of(5);
  right.begin = begin_for(kPid);

  Opening wrong = right;
  wrong.token = token_of(6);
  int fd = open_channel(wrong);
  CHECK(closed_within(fd, 200));
  close(fd);

  Opening unknown = right;
  unknown.session = 0xdeadbeef;
  CHECK(open_channel(unknown) < 0);

  for (int field = 0; field < 4; field++) {
    Hello hello{kHelloMagic, kProtocol, ChannelKind::thread, 0, session, {}};
    if (field == 0) hello.magic++;
    if (field == 1) hello.protocol++;
    if (field == 2) hello.kind = static_cast<ChannelKind>(3);
    if (field == 3) memset(&hello, 0xee, sizeof hello);
    fd = connect_data();
    send(fd, &hello, sizeof hello, MSG_NOSIGNAL);
    CHECK(closed_within(fd, 200));
    close(fd);
  }
  std::string garbage(100000, '\x5a');
  fd = connect_data();
  CHECK(send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL) > 0);
  CHECK(closed_within(fd, 200));
  close(fd);

  // Truncated: the client goes in the middle.
  fd = connect_data();
  Hello hello{kHelloMagic, kProtocol, ChannelKind::thread, 0, session, {}};
  send(fd, &hello, 17, MSG_NOSIGNAL);
  close(fd);
  fd = connect_data();
  Challenge challenge;
  send(fd, &hello, sizeof hello, MSG_NOSIGNAL);
  CHECK(read_exactly(fd, &challenge, sizeof challenge, 1000));
  send(fd, garbage.data(), 50, MSG_NOSIGNAL);
  close(fd);

  // A proof heard on one connection is worth nothing on another.
  int first = connect_data();
  send(first, &hello, sizeof hello, MSG_NOSIGNAL);
  CHECK(read_exactly(first, &challenge, sizeof challenge, 1000));
  Proof proof{{}, right.begin};
  hmac_sha256(right.token.bytes, 32, proof.mac, hello, challenge, proof.begin);
  int second = connect_data();
  Challenge other;
  send(second, &hello, sizeof hello, MSG_NOSIGNAL);
  CHECK(read_exactly(second, &other, sizeof other, 1000));
  CHECK(memcmp(challenge.nonce, other.nonce, 16) != 0);
  send(second, &proof, sizeof proof, MSG_NOSIGNAL);
  CHECK(closed_within(second, 200));
  // A byte of Begin changed on the way.
  Proof bent = proof;
  bent.begin.base += kSlotSize;
  send(first, &bent, sizeof bent, MSG_NOSIGNAL);
  CHECK(closed_within(first, 200));
  close(first);
  close(second);

  // All that did not hurt: the right one comes in, a second leader does not, and then the session is over.
  fd = open_channel(right);
  CHECK(welcome(fd) == 0);
  int again = open_channel(right);
  CHECK(again < 0 || closed_within(again, 200));
  if (again >= 0) close(again);
  close(fd);
  CHECK(within(500, nobody_left));
  CHECK(open_channel(right) < 0);
}

static void bears_slow_strangers() {
  ControlClient control;
  std::vector<int> idle;
  for (int i = 0; i < 150; i++) idle.push_back(connect_data());
  double start = now_ms();
  Guest guest(control, next_session++);
  CHECK(guest.fd >= 0);
  CHECK(now_ms() - start < 2500);
  int slow = connect_data();
  uint64_t magic = kHelloMagic;
  start = now_ms();
  send(slow, &magic, sizeof magic, MSG_NOSIGNAL);
  for (int fd : idle) close(fd);
  CHECK(closed_within(slow, 7000));
  CHECK(now_ms() - start > 400);
  close(slow);
}

static void keeps_tokens_to_itself() {
  ControlClient control;
  Guest first(control, next_session++), second(control, next_session++);
  // All that the second one's keeper can write to holds neither session's token.
  std::string secrets[] = {std::string(reinterpret_cast<char *>(token_of(static_cast<int>(first.session)).bytes), 32), token_of(static_cast<int>(first.session)).hex(),
                           std::string(reinterpret_cast<char *>(token_of(static_cast<int>(second.session)).bytes), 32)};
  CHECK(keepers().size() == 2);
  for (pid_t keeper : keepers()) {
    std::string maps = read_text("/proc/" + std::to_string(keeper) + "/maps");
    int memory = open(("/proc/" + std::to_string(keeper) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    CHECK(memory >= 0);
    size_t seen = 0;
    for (size_t at = 0; at < maps.size(); at = maps.find('\n', at) + 1) {
      unsigned long from, to;
      char rights[5];
      if (sscanf(maps.c_str() + at, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[1] != 'w' || to - from > (64 << 20)) continue;
      std::string content(to - from, 0);
      ssize_t got = pread(memory, content.data(), content.size(), static_cast<off_t>(from));
      if (got > 0) seen += static_cast<size_t>(got);
      for (const std::string &secret : secrets) CHECK(!has(content, secret));
    }
    CHECK(seen > 10000);
    close(memory);
  }
}

static void ends_with_its_keeper() {
  ControlClient control;
  Guest guest(control, next_session++);
  for (pid_t keeper : keepers()) kill(keeper, SIGKILL);
  CHECK(within(500, nobody_left));
  CHECK(closed_within(guest.fd, 200));
  CHECK(control.event("\"session\":\"" + session_name(guest.session) + "\",\"state\":\"ended\"", 1000));
  CHECK(control.ask("list") == "{\"ok\":true,\"sessions\":[]}");
}

static void passes_channels() {
  ControlClient control;
  uint64_t session = next_session++;
  Guest guest(control, session, false);
  CHECK(guest.last.event == 0 && guest.fd >= 0);
  Opening opening;
  opening.session = session;
  opening.token = token_of(static_cast<int>(session));
  struct { ChannelKind kind; uint16_t index; } wanted[] = {{ChannelKind::event, 0}, {ChannelKind::thread, 1}, {ChannelKind::thread, 2}, {ChannelKind::spare, 7}};
  for (auto &each : wanted) {
    opening.kind = each.kind;
    opening.index = each.index;
    int fd = open_channel(opening);
    CHECK(welcome(fd) == 0);
    // recvmsg in the guest: msghdr at kBuffer, then iovec, message and control.
    guest.call({SYS_getpid});
    uint64_t message[7] = {0, 0, kBuffer + 64, 1, kBuffer + 128, 64, 0}, part[2] = {kBuffer + 96, sizeof(PoolMessage)};
    std::string buffer(192, 0);
    memcpy(buffer.data(), message, sizeof message);
    memcpy(buffer.data() + 64, part, sizeof part);
    guest.put(buffer);
    CHECK(guest.call({SYS_recvmsg, static_cast<uint64_t>(guest.last.pool), kBuffer, 0}) == sizeof(PoolMessage));
    std::string got = guest.get(192);
    PoolMessage pool;
    memcpy(&pool, got.data() + 96, sizeof pool);
    CHECK(pool.type == PoolType::channel && pool.kind == each.kind && pool.index == each.index);
    int channel;
    memcpy(&channel, got.data() + 128 + 16, sizeof channel);
    guest.put("hello");
    CHECK(guest.call({SYS_sendto, static_cast<uint64_t>(channel), kBuffer, 5, 0, 0, 0}) == 5);
    char text[5];
    CHECK(read_exactly(fd, text, 5, 1000) && !memcmp(text, "hello", 5));
    if (each.kind == ChannelKind::event) guest.event = fd;
    else close(fd);
  }
}

static void watches_children() {
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
  CHECK(within(500, [] { return husks().size() == 2; }));
  PoolMessage claim{PoolType::watch, ChannelKind::event, 9, child};
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
  CHECK(within(1000, [] { return husks().size() == 1; }));
  CHECK(now_ms() - closed < 100);
  CHECK(guest.call({SYS_getpid}) == kPid);
  // A claim for a channel that is not there any more ends the one who claims it: here, the guest itself.
  claim = {PoolType::watch, ChannelKind::event, 77, kPid};
  guest.put(std::string(reinterpret_cast<char *>(&claim), sizeof claim));
  tell.call[1] = static_cast<uint64_t>(guest.last.pool);
  send(guest.fd, &tell, sizeof tell, MSG_NOSIGNAL);
  CHECK(within(1000, nobody_left));
}

static void ends_unclaimed_children() {
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
  CHECK(within(500, [] { return husks().size() == 1; }));
  CHECK(within(2000, nobody_left));
}

static void shuts_the_sandbox() {
  ControlClient control;
  Guest guest(control, next_session++);
  auto is = [](int64_t result, int error) { return result == -error; };
  // No file has content, none can be made.
  CHECK(is(guest.path_call("/proc/self/status", {SYS_open, kBuffer, O_RDONLY}), ENOENT));
  CHECK(is(guest.path_call("/etc/passwd", {SYS_open, kBuffer, O_RDONLY}), ENOENT));
  CHECK(is(guest.path_call("../../../etc/passwd", {SYS_open, kBuffer, O_RDONLY}), ENOENT));
  CHECK(is(guest.path_call("/file", {SYS_open, kBuffer, O_WRONLY | O_CREAT, 0600}), EROFS));
  CHECK(is(guest.path_call("/dir", {SYS_mkdir, kBuffer, 0700}), EROFS));
  int64_t root = guest.path_call("/", {SYS_open, kBuffer, O_RDONLY | O_DIRECTORY});
  CHECK(root >= 0);
  CHECK(guest.call({SYS_getdents64, static_cast<uint64_t>(root), kBuffer, 4096}) == 2 * 24);   // . and ..
  int64_t above = guest.path_call("..", {SYS_openat, static_cast<uint64_t>(root), kBuffer, O_RDONLY | O_DIRECTORY});   // the same again
  CHECK(guest.call({SYS_getdents64, static_cast<uint64_t>(above), kBuffer, 4096}) == 2 * 24);
  guest.call({SYS_close, static_cast<uint64_t>(above)});
  guest.call({SYS_close, static_cast<uint64_t>(root)});
  CHECK(is(guest.path_call("/", {SYS_mount, kBuffer, kBuffer, kBuffer, 0, 0}), EPERM));
  // No other descriptors than its own.
  int open_fds = 0;
  for (uint64_t fd = 0; fd < 200; fd++) open_fds += guest.call({SYS_fcntl, fd, F_GETFD}) >= 0;
  CHECK(open_fds == 6);   // channel, event channel, pool, maps, pagemap, userfaultfd
  // No rights, no namespaces.
  CHECK(guest.call({SYS_getuid}) == 0);
  guest.call({SYS_getgroups, 64, kBuffer});
  CHECK(guest.last.result == 0);
  uint32_t header[2] = {_LINUX_CAPABILITY_VERSION_3, 0}, data[6];
  guest.put(std::string(reinterpret_cast<char *>(header), 8));
  CHECK(guest.call({SYS_capget, kBuffer, kBuffer + 64}) == 0);
  memcpy(data, guest.get(88).data() + 64, 24);
  CHECK(data[0] == 0 && data[1] == 0 && data[3] == 1u << (CAP_CHECKPOINT_RESTORE - 32) && data[4] == 1u << (CAP_CHECKPOINT_RESTORE - 32));
  for (uint64_t flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWCGROUP, 0x80}) {
    int64_t result = guest.call({SYS_unshare, flag});
    CHECK(result == -EPERM || result == -ENOSPC || result == -EUSERS);
  }
  CHECK(is(guest.call({SYS_prctl, 38, 0, 0, 0, 0}), EINVAL));
  CHECK(guest.call({SYS_prctl, 39, 0, 0, 0, 0}) == 1);   // PR_GET_NO_NEW_PRIVS
  CHECK(is(guest.call({SYS_chroot, kBuffer}), EPERM) || guest.last.result == -ENOENT);
  CHECK(is(guest.call({SYS_setuid, 1}), EINVAL));
  CHECK(is(guest.call({SYS_clock_settime, 0, kBuffer}), EPERM) || guest.last.result == -EINVAL);
  guest.put("x");
  CHECK(is(guest.call({SYS_sethostname, kBuffer, 1}), EPERM));
  // Its keeper, the only other process, cannot be touched.
  CHECK(guest.call({SYS_kill, 1, SIGKILL}) <= 0);
  CHECK(is(guest.call({SYS_ptrace, 0x4206, 1, 0, 0}), EPERM));   // PTRACE_SEIZE
  uint64_t vectors[4] = {kBuffer + 64, 8, kBase, 8};
  guest.put(std::string(reinterpret_cast<char *>(vectors), sizeof vectors));
  CHECK(is(guest.call({SYS_process_vm_readv, 1, kBuffer, 1, kBuffer + 16, 1, 0}), EPERM));
  CHECK(guest.call({SYS_process_vm_readv, kPid, kBuffer, 1, kBuffer + 16, 1, 0}) == 8);
  int64_t pidfd = guest.call({SYS_pidfd_open, 1, 0});
  if (pidfd >= 0) CHECK(is(guest.call({SYS_pidfd_getfd, static_cast<uint64_t>(pidfd), 3, 0}), EPERM));
  // No network: nothing to connect to, not even itself.
  int64_t socket = guest.call({SYS_socket, AF_INET, SOCK_STREAM, 0});
  uint16_t address[8] = {AF_INET, __builtin_bswap16(static_cast<uint16_t>(data_port())), 0x007f, 0x0100};
  guest.put(std::string(reinterpret_cast<char *>(address), sizeof address));
  CHECK(socket < 0 || is(guest.call({SYS_connect, static_cast<uint64_t>(socket), kBuffer, 16}), ENETUNREACH));
  CHECK(!nobody_left());
  // Its own maps and pagemap, and nothing else, from the keeper.
  int64_t maps = guest.call({SYS_openat, kOwnFile, kOwnMaps, 0});
  CHECK(maps >= 0 && guest.call({SYS_read, static_cast<uint64_t>(maps), kBuffer, 4096}) > 100);
  CHECK(has(guest.get(4096), "300000000000-300000040000 r-xp"));
  CHECK(is(guest.call({SYS_openat, kOwnFile, 2, 0}), EINVAL));
}

static void gives_own_files() {
  ControlClient control;
  Guest guest(control, next_session++);
  CHECK(guest.say(GuestWhat::filter, {}) && guest.last.result == 0);
  CHECK(guest.call({SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, kBuffer}) == 0);
  int pair[2];
  memcpy(pair, guest.get(8).data(), 8);
  // msghdr at kBuffer, iovec, message, control.
  auto message = [&](const PoolMessage &pool, int fd) {
    uint64_t header[7] = {0, 0, kBuffer + 64, 1, kBuffer + 128, 24, 0}, part[2] = {kBuffer + 96, sizeof pool};
    uint64_t rights[3] = {20, static_cast<uint64_t>(SOL_SOCKET) | static_cast<uint64_t>(SCM_RIGHTS) << 32, static_cast<uint32_t>(fd)};
    std::string buffer(192, 0);
    memcpy(buffer.data(), header, sizeof header);
    memcpy(buffer.data() + 64, part, sizeof part);
    memcpy(buffer.data() + 96, &pool, sizeof pool);
    memcpy(buffer.data() + 128, rights, sizeof rights);
    return buffer;
  };
  guest.put(message({PoolType::proc, ChannelKind::event, 0, kPid}, pair[1]));
  CHECK(guest.call({SYS_sendmsg, static_cast<uint64_t>(guest.last.pool), kBuffer, 0}) == sizeof(PoolMessage));
  for (int i = 0; i < 2; i++) {
    guest.put(message({}, -1));
    CHECK(guest.call({SYS_recvmsg, static_cast<uint64_t>(pair[0]), kBuffer, 0}) == sizeof(PoolMessage));
    int fd;
    memcpy(&fd, guest.get(192).data() + 128 + 16, sizeof fd);
    CHECK(guest.call({SYS_pread64, static_cast<uint64_t>(fd), kBuffer, 64, i ? kBase / 4096 * 8 : 0}) == 64);
  }
  // The keeper's own are not to be had.
  guest.put(message({PoolType::proc, ChannelKind::event, 0, 1}, pair[1]));
  CHECK(guest.call({SYS_sendmsg, static_cast<uint64_t>(guest.last.pool), kBuffer, 0}) == sizeof(PoolMessage));
  CHECK(guest.call({SYS_close, static_cast<uint64_t>(pair[1])}) == 0);
  guest.put(message({}, -1));
  CHECK(guest.call({SYS_recvmsg, static_cast<uint64_t>(pair[0]), kBuffer, 0}) == 0);
}

static void filters_calls() {
  ControlClient control;
  Guest guest(control, next_session++);
  CHECK(guest.say(GuestWhat::filter, {}) && guest.last.result == 0);
  CHECK(guest.outside({SYS_getpid}) == kPid);
  CHECK(guest.outside({SYS_sched_yield}) == 0);
  CHECK(guest.call({SYS_gettid}) == kPid);
  for (uint64_t nr : {SYS_read, SYS_write, SYS_open, SYS_openat, SYS_socket, SYS_connect, SYS_clone, SYS_clone3, SYS_fork, SYS_execve, SYS_kill, SYS_ptrace, SYS_mount,
                      SYS_unshare, SYS_setns, SYS_bpf, SYS_io_uring_setup, SYS_sendto, SYS_recvfrom, SYS_ioctl, SYS_prctl, SYS_seccomp, SYS_shmat, SYS_keyctl}) {
    CHECK(guest.outside({nr, 0, 0, 0, 0, 0, 0}) == kTrapped);
  }
  CHECK(guest.outside({500, 0}) == kTrapped);
  CHECK(guest.outside({0x40000000 | SYS_getpid}) == kTrapped);
  for (uint64_t nr : {SYS_write, SYS_open, SYS_socket, SYS_connect, SYS_execve, SYS_kill, SYS_ptrace, SYS_mount, SYS_unshare, SYS_pidfd_open, SYS_seccomp, SYS_io_uring_setup}) {
    CHECK(guest.call({nr, 0, 0, 0, 0, 0, 0}) == kTrapped);
  }
  CHECK(guest.call({SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0}) == kTrapped);
  guest.put(std::string(16, '\0'));
  CHECK(guest.call({SYS_sendto, static_cast<uint64_t>(guest.last.event), kBuffer, 1, 0x20000000, kBuffer, 16}) == kTrapped);   // MSG_FASTOPEN
  int64_t maps = guest.call({SYS_openat, kOwnFile, kOwnMaps, 0});
  CHECK(maps >= 0);
  CHECK(guest.outside({SYS_openat, kOwnFile, kOwnMaps, 0}) == kTrapped);
  // clone3 with new namespaces: its flags cannot be seen by the filter; it fails for want of rights.
  uint64_t arguments[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
  guest.put(std::string(reinterpret_cast<char *>(arguments), sizeof arguments));
  int64_t result = guest.call({SYS_clone3, kBuffer, sizeof arguments});
  CHECK(result == -ENOSPC || result == -EUSERS || result == -EPERM);
  arguments[0] = CLONE_NEWNET;
  guest.put(std::string(reinterpret_cast<char *>(arguments), sizeof arguments));
  CHECK(guest.call({SYS_clone3, kBuffer, sizeof arguments}) == -EPERM);
}

static void shifts_clocks() {
  ControlClient control;
  for (int64_t offset : {int64_t{123456789012345}, int64_t{-1500000000}, int64_t{0}}) {
    uint64_t session = next_session++;
    control.ask("open " + session_name(session) + " " + token_of(3).hex());
    Opening opening;
    opening.session = session;
    opening.token = token_of(3);
    opening.begin = begin_for(kPid);
    opening.begin.monotonic_offset = offset;
    opening.begin.boottime_offset = offset + 777000000000;
    Guest guest;
    guest.fd = open_channel(opening);
    CHECK(welcome(guest.fd) == 0);
    timespec here[2], there[2];
    for (int clock : {CLOCK_MONOTONIC, CLOCK_BOOTTIME}) {
      guest.call({SYS_clock_gettime, static_cast<uint64_t>(clock), kBuffer});
      memcpy(there, guest.get(16).data(), 16);
      clock_gettime(clock, here);
      int64_t seen = (there[0].tv_sec - here[0].tv_sec) * 1000000000 + there[0].tv_nsec - here[0].tv_nsec;
      int64_t wanted = offset + (clock == CLOCK_BOOTTIME ? 777000000000 : 0);
      CHECK(llabs(seen - wanted) < 100000000);
    }
    close(guest.fd);
    guest.fd = -1;
    CHECK(within(500, nobody_left));
  }
}

static void reports_what_fails() {
  ControlClient control;
  auto status_for = [&](Begin begin) {
    uint64_t session = next_session++;
    control.ask("open " + session_name(session) + " " + token_of(4).hex());
    Opening opening;
    opening.session = session;
    opening.token = token_of(4);
    opening.begin = begin;
    int fd = open_channel(opening);
    int status = welcome(fd);
    CHECK(closed_within(fd, 1000));
    close(fd);
    CHECK(control.event("\"session\":\"" + session_name(session) + "\",\"state\":\"ended\"", 1000));
    return status;
  };
  CHECK(status_for(begin_for(1)) == EEXIST);          // the keeper's own number
  CHECK(status_for(begin_for(1 << 23)) == EINVAL);    // above pid_max
  Begin begin = begin_for(kPid);
  begin.blob_hash++;
  CHECK(status_for(begin) == EPROTO);
  begin = begin_for(kPid);
  begin.base += 4096;
  CHECK(status_for(begin) == EINVAL);
  begin = begin_for(kPid);
  begin.base = 0x6d000000;                            // where the husk lies
  CHECK(status_for(begin) == EEXIST);
  begin = begin_for(kPid);
  begin.monotonic_offset = -(int64_t{1} << 62);       // before the clock began
  CHECK(status_for(begin) == ERANGE);
  CHECK(within(500, nobody_left));
  CHECK(has(control.ask("open " + session_name(next_session++) + " " + token_of(4).hex() + " 1000000 /nonexistent/group"), "\"ok\":false"));
  CHECK(within(500, nobody_left));
}

static void outlives_mosgate() {
  uint64_t session = next_session++;
  auto *control = new ControlClient;
  Guest guest(*control, session);
  uint64_t unused = next_session++;
  control->ask("open " + session_name(unused) + " " + token_of(4).hex());
  CHECK(run_gate() == 0);   // a second one leaves the place to the first
  stop_gate(gate, SIGKILL);
  delete control;
  CHECK(guest.call({SYS_getpid}) == kPid);
  CHECK(within(500, [] { return keepers().size() == 1; }));   // the session nobody came to is gone
  gate = start_gate();
  ControlClient again;
  std::string list = again.ask("list");
  CHECK(has(list, session_name(session)) && has(list, "\"state\":\"running\",\"home_pid\":23456") && has(list, "\"adopted\":true"));
  CHECK(!has(list, session_name(unused)));
  CHECK(guest.call({SYS_getpid}) == kPid);
  Opening opening;
  opening.session = session;
  opening.token = token_of(static_cast<int>(session));
  opening.kind = ChannelKind::spare;
  CHECK(open_channel(opening) < 0);
  CHECK(again.ask("kill " + session_name(session)) == "{\"ok\":true}");
  CHECK(again.event("\"state\":\"ended\"", 1000));
  CHECK(within(500, nobody_left));
  CHECK(again.ask("list") == "{\"ok\":true,\"sessions\":[]}");
  // And by its own end, seen by a mosgate that did not start it.
  session = next_session++;
  {
    ControlClient first;
    Guest second(first, session);
    stop_gate(gate, SIGTERM);
    gate = start_gate();
    CHECK(second.call({SYS_getpid}) == kPid);
  }
  ControlClient last;
  CHECK(within(1000, [&] { return last.ask("list") == "{\"ok\":true,\"sessions\":[]}"; }));
  CHECK(within(500, nobody_left));
}

static void uses_a_control_group() {
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
  }
  CHECK(within(1000, [&] { return access(group.c_str(), F_OK) < 0; }));
}

static void hosts_many() {
  ControlClient control;
  constexpr uint64_t kMany = 40;
  {
    std::vector<std::unique_ptr<Guest>> guests;
    for (uint64_t i = 0; i < kMany; i++) guests.push_back(std::make_unique<Guest>(control, next_session++));
    CHECK(keepers().size() == kMany && husks().size() == kMany);
    for (auto &guest : guests) CHECK(guest->call({SYS_getpid}) == kPid);   // the same number in each one's own namespace
    std::string list = control.ask("list");
    CHECK(static_cast<size_t>(std::count(list.begin(), list.end(), '{')) == kMany + 1);
  }
  CHECK(within(2000, nobody_left));
}

static void expires() {
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
  CHECK(within(500, nobody_left));
}

static void is_quick() {
  ControlClient control;
  std::vector<double> took;
  for (int i = 0; i < 30; i++) {
    uint64_t session = next_session++;
    control.ask("open " + session_name(session) + " " + token_of(4).hex());
    Opening opening;
    opening.session = session;
    opening.token = token_of(4);
    opening.begin = begin_for(kPid);
    int fd = open_channel(opening);
    double start = now_ms();
    CHECK(welcome(fd) == 0);
    took.push_back(now_ms() - start);
    close(fd);
  }
  std::sort(took.begin(), took.end());
  printf("# proof to welcome: median %.2f ms, best %.2f, worst %.2f\n", took[15], took[0], took[29]);
  CHECK(took[15] < 20);
  CHECK(within(500, nobody_left));
}

static void run(const char *name, void (*test)()) {
  current = name;
  checks_failed = 0;
  test();
  printf("%s %s\n", checks_failed ? "not ok" : "ok", name);
  fflush(stdout);
  if (checks_failed) failures++;
}

static constexpr char kSlow[] = "a session nobody comes to expires";

int main(int count, char **arguments) {
  if (geteuid() != 0) {
    printf("skipped all: mosgate needs root\n");
    return 0;
  }
  struct { const char *name; void (*test)(); } tests[] = {
      {"answers commands in order", answers_commands},
      {"starts a guest under home's pid", starts_a_guest},
      {"a guest ends with its home within 100 ms", ends_with_home},
      {"sessions leave nothing behind", leaves_nothing},
      {"refuses strangers at once", refuses_strangers},
      {"idle strangers do not keep a mover out", bears_slow_strangers},
      {"a keeper has no session's token", keeps_tokens_to_itself},
      {"a guest ends with its keeper", ends_with_its_keeper},
      {"passes channels to the guest", passes_channels},
      {"watches the event channels of children", watches_children},
      {"a child that nobody knows ends with its parent", ends_unclaimed_children},
      {"a guest reaches nothing of its host", shuts_the_sandbox},
      {"a process gets its own maps and pagemap from its keeper", gives_own_files},
      {"the filter traps what is not local", filters_calls},
      {"the guest has home's clocks", shifts_clocks},
      {"says what failed", reports_what_fails},
      {"hosts forty guests at once", hosts_many},
      {"guests outlive mosgate, and the next one finds them", outlives_mosgate},
      {"puts a guest into its control group", uses_a_control_group},
      {"a guest is ready in a few milliseconds", is_quick},
      {kSlow, expires},
  };
  gate = start_gate();
  for (auto &test : tests) {
    if (count > 1 ? !has(test.name, arguments[1]) : test.name == kSlow) continue;
    run(test.name, test.test);
  }
  {
    ControlClient control;
    if (control.ask("quit") != "{\"ok\":true}") printf("not ok quits when asked\n"), failures++;
  }
  waitpid(gate, nullptr, 0);
  if (failures) printf("# log of mosgate: %s\n", read_text(directory + "/log").c_str());
  std::string remove = "rm -rf " + directory;
  if (system(remove.c_str()) != 0) printf("# cannot remove %s\n", directory.c_str());
  return failures != 0;
}
