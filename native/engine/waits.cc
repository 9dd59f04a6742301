#include "engine/waits.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "syscalls.h"

namespace mosrun {

namespace sc = syscalls;

static int64_t scheduler_figure(const std::string &path, const char *name, double scale) {
  std::string text;
  if (!read_file(path, text)) return -1;
  size_t at = text.find(name);
  if (at == std::string::npos || (at = text.find(':', at)) == std::string::npos) return -1;
  return int64_t(strtod(text.c_str() + at + 1, nullptr) * scale);
}

static int64_t run_clock(const std::string &path) { return scheduler_figure(path, "se.exec_start", 1e6); }

static std::string sched_of(pid_t pid, pid_t tid) { return "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/sched"; }

int64_t switches_of(pid_t pid, pid_t tid) { return scheduler_figure(sched_of(pid, tid), "nr_voluntary_switches", 1); }

static int64_t average_clock(pid_t pid, pid_t tid) { return scheduler_figure(sched_of(pid, tid), "se.avg.last_update_time", 1); }

static int processor_of(pid_t pid, pid_t tid) {
  std::string text;
  if (!read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/stat", text)) return -1;
  size_t at = text.rfind(')');
  for (int field = 2; field < 39 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  return at == std::string::npos ? -1 : atoi(text.c_str() + at + 1);
}

// The call that a continued one goes on with, from the function it waits in; where the kernel's functions end in jumps, wchan shows none
// of them. Then from the program's own instructions, if they are the usual ones: mov $number, %eax; syscall.
static int continued(pid_t pid, const std::string &where, unsigned long first, uint64_t after) {
  if (where.find("nanosleep") != std::string::npos) return first < 64 ? sc::nr_clock_nanosleep : sc::nr_nanosleep;
  if (where.find("poll") != std::string::npos) return sc::nr_poll;
  if (where.find("futex") != std::string::npos) return sc::nr_futex;
  uint8_t code[7];
  if (!read_memory(pid, {after - sizeof code}, code, sizeof code) || code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05) return -1;
  int nr;
  memcpy(&nr, code + 1, sizeof nr);
  // Those that leave a restart block, ERESTART_RESTARTBLOCK.
  for (int one : {sc::nr_clock_nanosleep, sc::nr_nanosleep, sc::nr_poll, sc::nr_futex})
    if (nr == one) return nr;
  return -1;
}

Asleep asleep(pid_t pid, pid_t tid, bool forgotten) {
  Asleep result;
  std::string task = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid), text;
  if (!read_file(task + "/syscall", text) || !strncmp(text.c_str(), "running", 7)) return result;
  result.nr = atoi(text.c_str());
  if (result.nr == sc::nr_restart_syscall) {
    std::string where;
    read_file(task + "/wchan", where);
    unsigned long first = 0, after = 0;
    sscanf(text.c_str(), "%*d %lx %*x %*x %*x %*x %*x %*x %lx", &first, &after);
    result.nr = continued(pid, where, first, after);
  }
  if (result.nr < 0 || unsigned(result.nr) >= sc::count) return result;
  const sc::Call &call = sc::calls[result.nr];
  unsigned long fd = 0;
  sscanf(text.c_str(), "%*d %lx", &fd);
  const bool sleeps = result.nr == sc::nr_nanosleep || result.nr == sc::nr_clock_nanosleep || result.nr == sc::nr_futex;
  const bool by_socket = call.timeout == sc::Timeout::none || result.nr == sc::nr_recvmmsg;
  if (by_socket && !sleeps && socket_timeout(pid, tid, result.nr, fd) < 0) return result;
  // se.exec_start is the run queue's clock at the thread's last moment on a processor; ours on the same processor is the present.
  int cpu = result.processor = processor_of(pid, tid);
  result.switches = switches_of(pid, tid);
  cpu_set_t before, there;
  sched_getaffinity(0, sizeof before, &before);
  CPU_ZERO(&there);
  if (cpu >= 0) CPU_SET(size_t(cpu), &there);
  bool moved = cpu >= 0 && !sched_setaffinity(0, sizeof there, &there);
  int64_t since = forgotten ? 0 : run_clock(task + "/sched");
  sched_yield();
  int64_t present = run_clock("/proc/self/sched");
  if (moved) sched_setaffinity(0, sizeof before, &before);
  if (since > 0 && present >= since) result.elapsed_ns = present - since;
  // Since 6.12 a thread that sleeps may stay queued a while, and be moved to another processor like one that waits for it: the kernel forgets
  // exec_start then (migrate_task_rq_fair, kernel/sched/fair.c). When it averaged the thread's load last, it remembers.
  if (!since) result.averaged_ns = average_clock(pid, tid);
  return result;
}

int64_t slept(pid_t pid, pid_t tid, const Asleep &was) {
  if (was.switches < 0 || switches_of(pid, tid) != was.switches + 1) return -1;
  if (was.elapsed_ns >= 0 || was.averaged_ns <= 0) return was.elapsed_ns;
  // The clock of averages stands still for a group that is throttled: only the thread's own can be compared, and only on one processor.
  const int64_t now = average_clock(pid, tid);
  return processor_of(pid, tid) == was.processor && now >= was.averaged_ns ? now - was.averaged_ns : -1;
}

Again waits_again(pid_t pid, Carried &c, int64_t let_go) {
  constexpr int64_t kAtOnce = 5'000'000;   // ns in which no program gets through a wait and into the next, but by an event
  std::string text;
  const int64_t switches = switches_of(pid, c.tid), now = clock_ns(CLOCK_MONOTONIC);
  if (switches == c.switches) return Again::waits;
  if (switches < c.switches) return switches < 0 ? Again::who_knows : Again::not_yet;
  if (now - let_go > kAtOnce || (c.deadline >= 0 && now >= c.deadline)) return Again::who_knows;
  int nr;
  unsigned long after;
  if (!read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(c.tid) + "/syscall", text) ||
      sscanf(text.c_str(), "%d %*x %*x %*x %*x %*x %*x %*x %lx", &nr, &after) != 2 || after != c.after || (nr != c.nr && nr != sc::nr_restart_syscall))
    return Again::not_yet;
  c.switches = switches;
  return Again::waits;
}

bool handler_waits(pid_t tid, uint64_t mask) {
  auto set = [&](const char *name) { return strtoull(status_field(tid, name).c_str(), nullptr, 16); };
  return (set("SigPnd") | set("ShdPnd")) & set("SigCgt") & ~mask;
}

static bool sends(int nr) { return nr == sc::nr_write || nr == sc::nr_writev || nr == sc::nr_connect || nr == sc::nr_sendto || nr == sc::nr_sendmsg || nr == sc::nr_sendmmsg; }

int64_t socket_timeout(pid_t pid, pid_t tid, int nr, uint64_t fd) {
  if (nr < 0 || unsigned(nr) >= sc::count || sc::calls[nr].restart != sc::Restart::sys || !(sc::fd_args[nr] & 1)) return -1;
  char link[64], target[16];
  snprintf(link, sizeof link, "/proc/%d/task/%d/fd/%d", pid, tid, int(fd));
  if (readlink(link, target, sizeof target) < 7 || strncmp(target, "socket:", 7)) return -1;
  const int copy = copy_descriptor(pid, tid, int(fd));
  if (copy < 0) return -1;
  timeval t{};
  socklen_t size = sizeof t;
  const bool told = !getsockopt(copy, SOL_SOCKET, sends(nr) ? SO_SNDTIMEO : SO_RCVTIMEO, &t, &size) && (t.tv_sec || t.tv_usec);
  close(copy);
  return told ? int64_t(t.tv_sec) * 1000000000 + t.tv_usec * 1000 : -1;
}

// Those that write the rest of their time over it.
static bool in_place(int nr) { return sc::calls[nr].timeout == sc::Timeout::timespec_inout || sc::calls[nr].timeout == sc::Timeout::timeval_inout; }

// They give EINTR where it is constant, since they could not be restarted (poll_select_finish in fs/select.c).
bool ends_by_stop(int nr) {
  if (nr < 0 || unsigned(nr) >= sc::count) return false;
  if (in_place(nr)) return true;
  // Calls on sockets with SO_RCVTIMEO or SO_SNDTIMEO, which otherwise restart, end so too (sock_intr_errno); they have done nothing.
  sc::Restart restart = sc::calls[nr].restart;
  return restart == sc::Restart::eintr || restart == sc::Restart::sys || nr == sc::nr_io_getevents || nr == sc::nr_io_pgetevents;
}

static int64_t timespec_at(pid_t tid, uint64_t at, int64_t unit) {
  int64_t t[2];
  if (!at || !read_memory(tid, {at}, t, sizeof t) || t[0] < 0 || t[0] > 4000000000LL) return -1;
  return t[0] * 1000000000 + t[1] * unit;
}

int64_t timeout_of(pid_t pid, pid_t tid, int nr, const user_regs_struct &r) {
  if (nr < 0 || unsigned(nr) >= sc::count) return -1;
  uint64_t args[6] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
  if (nr == sc::nr_nanosleep) return timespec_at(tid, args[0], 1);
  if (nr == sc::nr_clock_nanosleep) return args[1] & 1 ? -1 : timespec_at(tid, args[2], 1);
  if (nr == sc::nr_futex) return (args[1] & 0x7f) == 0 ? timespec_at(tid, args[3], 1) : -1;
  const sc::Call &call = sc::calls[nr];
  if (nr == sc::nr_recvmmsg) return socket_timeout(pid, tid, nr, args[0]);   // its own is looked at between messages
  switch (call.timeout) {
    case sc::Timeout::ms: return int(args[call.timeout_arg]) < 0 ? -1 : int64_t(int(args[call.timeout_arg])) * 1000000;
    case sc::Timeout::timespec: case sc::Timeout::timespec_inout: return timespec_at(tid, args[call.timeout_arg], 1);
    case sc::Timeout::timeval_inout: return timespec_at(tid, args[call.timeout_arg], 1000);
    default: return socket_timeout(pid, tid, nr, args[0]);
  }
}

int64_t rest_written(pid_t pid, pid_t tid, int nr, const user_regs_struct &r) {
  if (nr == sc::nr_nanosleep) return timespec_at(tid, r.rsi, 1);
  if (nr == sc::nr_clock_nanosleep) return r.rsi & 1 ? -1 : timespec_at(tid, r.r10, 1);
  return nr >= 0 && unsigned(nr) < sc::count && in_place(nr) ? timeout_of(pid, tid, nr, r) : -1;
}

}  // namespace mosrun
