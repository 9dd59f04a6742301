// mosgate, keeper and husk as a whole. Run as root; prints one line a test.
// With an argument, only the tests with that text in their names; without, all but the one that waits half a minute.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "tests.h"

using namespace mosrun;

static int failures;
int checks_failed;
const char *current;
uint64_t next_session = 100;
pid_t gate;

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
  CHECK(has(control.ask("list 00000000000000ab"), "\"rss_bytes\":"));
  CHECK(control.ask("list 00000000000000ac") == "{\"ok\":true,\"sessions\":[]}");
  CHECK(has(control.ask("list names"), "\"session\":\"00000000000000ab\",\"state\":\"open\",\"keeper\":"));
  CHECK(has(control.ask("quit"), "busy"));
  CHECK(control.ask("kill 00000000000000ab") == "{\"ok\":true}");
  CHECK(control.event("\"state\":\"ended\",\"why\":\"killed\"", 1000));
  CHECK(within(kSoon, nobody_left));
  // Several commands in one packet, one of them slow, are answered in order.
  std::string three = "open 00000000000000ac " + token_of(1).hex() + "\nlist\nkill 00000000000000ac\n";
  send(control.fd, three.data(), three.size(), MSG_NOSIGNAL);
  CHECK(control.read_line(2000) == "{\"ok\":true}");
  CHECK(has(control.read_line(2000), "00000000000000ac"));
  CHECK(control.read_line(2000) == "{\"ok\":true}");
  std::string endless(5000, 'x');
  send(control.fd, endless.data(), endless.size(), MSG_NOSIGNAL);
  CHECK(closed_within(control.fd, 1000));
  CHECK(within(kSoon, nobody_left));
}

static void starts_a_guest() {
  ControlClient control;
  Guest guest(control, next_session++);
  CHECK(guest.fd >= 0);
  CHECK(guest.call({SYS_getpid}) == kPid);
  CHECK(guest.call({SYS_gettid}) == kPid);
  CHECK(guest.call({SYS_getppid}) == 1);
  CHECK(guest.last.event >= 0 && guest.last.pool >= 0 && guest.last.maps >= 0 && guest.last.pagemap >= 0 && guest.last.uffd >= 0);
  CHECK(control.event("\"state\":\"running\"", 1000));
  std::string list = control.ask("list");
  CHECK(has(list, "\"state\":\"running\",\"home_pid\":23456"));
  CHECK(has(list, "\"threads\":1"));
  guest.say(GuestWhat::inside, {SYS_rt_sigprocmask, 0, 0, kBuffer, 8});
  CHECK(guest.get(8) == std::string("\xff\xfe\xfb\xbf\xff\xff\xff\xff", 8));   // all that can be, but SIGSYS
  guest.call({SYS_prlimit64, 0, RLIMIT_STACK, 0, kBuffer});
  uint64_t stack[2];
  memcpy(stack, guest.get(16).data(), 16);
  CHECK(stack[0] == 8 << 20);
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
  CHECK(within(kSoon, nobody_left));
  CHECK(has(control.ask("open " + session_name(next_session++) + " " + token_of(4).hex() + " 1000000 /nonexistent/group"), "\"ok\":false"));
  CHECK(within(kSoon, nobody_left));
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
  CHECK(within(kSoon, nobody_left));
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
  CHECK(within(kSoon, nobody_left));
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
      {"a token opens no other session", opens_only_its_own},
      {"idle strangers do not keep a mover out", bears_slow_strangers},
      {"a keeper has no session's token", keeps_tokens_to_itself},
      {"an encrypted session takes no channel in the clear", seals_sessions},
      {"without the key nothing passes mosseal", refuses_wrong_keys},
      {"mosseal hears strangers without rights, files and tokens", confines_mosseal},
      {"strangers who begin as TLS does do not keep a mover out", bears_slow_handshakes},
      {"a guest ends with its keeper", ends_with_its_keeper},
      {"passes channels to the guest", passes_channels},
      {"watches the event channels of children", watches_children},
      {"a child that nobody knows ends with its parent", ends_unclaimed_children},
      {"a guest reaches nothing of its host", shuts_the_sandbox},
      {"the filter traps what is not local", filters_calls},
      {"a guest stands back where the node runs short", stands_back},
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
    // The last test's guests may still be ending.
    ControlClient control;
    bool quits = within(kSoon, nobody_left) && within(1000, [&] { return control.ask("quit") == "{\"ok\":true}"; });
    if (!quits) {
      printf("not ok quits when asked\n");
      failures++;
      kill(gate, SIGTERM);
    }
  }
  waitpid(gate, nullptr, 0);
  if (failures) printf("# log of mosgate: %s\n", read_text(directory + "/log").c_str());
  std::string remove = "rm -rf " + directory;
  if (system(remove.c_str()) != 0) printf("# cannot remove %s\n", directory.c_str());
  return failures != 0;
}
