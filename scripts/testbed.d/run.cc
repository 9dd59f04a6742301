// Runs a command inside a node as if it had been typed there: nsenter(1) does not pass signals on, and needs its own libraries.
//   --in DIR          the node (or the switch): its process 1 is recorded in DIR/pid; its namespaces are entered
//   --keep-root       all namespaces but mount
//   --new LIST        new namespaces for the command, of: pid,net,mount,uts,ipc,cgroup
//   --cgroups FILE    move the command into the groups whose cgroup.procs files are listed there
//   --user U:G:G1,G2  run with these ids
//   --record FILE     write the command's process number there
//   --log FILE        standard output and error go there, standard input is empty
//   --detach          do not wait: the command belongs to process 1 of its namespace
#include "tool.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace testbed {
namespace {

struct Options {
  const char* in = nullptr;
  const char* cgroups = nullptr;
  const char* user = nullptr;
  const char* record = nullptr;
  const char* log = nullptr;
  bool keep_root = false;
  bool detach = false;
  int fresh = 0;  // CLONE_NEW* flags
  char** command = nullptr;
};

int namespace_flags(const char* list) {
  const std::string all = std::string(",") + list + ",";
  int flags = 0;
  if (all.find(",pid,") != std::string::npos) flags |= CLONE_NEWPID;
  if (all.find(",net,") != std::string::npos) flags |= CLONE_NEWNET;
  if (all.find(",mount,") != std::string::npos) flags |= CLONE_NEWNS;
  if (all.find(",uts,") != std::string::npos) flags |= CLONE_NEWUTS;
  if (all.find(",ipc,") != std::string::npos) flags |= CLONE_NEWIPC;
  if (all.find(",cgroup,") != std::string::npos) flags |= CLONE_NEWCGROUP;
  return flags;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&]() -> const char* {
      if (i + 1 >= argc) errno = EINVAL, fail("no value for", argv[i]);
      return argv[++i];
    };
    if (word == "--") {
      o.command = argv + i + 1;
      break;
    }
    if (word == "--in") o.in = value();
    else if (word == "--cgroups") o.cgroups = value();
    else if (word == "--user") o.user = value();
    else if (word == "--record") o.record = value();
    else if (word == "--log") o.log = value();
    else if (word == "--new") o.fresh = namespace_flags(value());
    else if (word == "--keep-root") o.keep_root = true;
    else if (word == "--detach") o.detach = true;
    else errno = EINVAL, fail("unknown option", argv[i]);
  }
  if (o.command == nullptr || *o.command == nullptr) errno = EINVAL, fail("no command");
  return o;
}

void join_cgroups(const char* list) {
  FILE* file = std::fopen(list, "re");
  if (file == nullptr) fail("cannot read", list);
  char path[PATH_MAX];
  while (std::fscanf(file, "%4095s", path) == 1) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) fail("cannot join", path);
    close(fd);
  }
  std::fclose(file);
}

void become(const char* user) {
  unsigned uid = 0, gid = 0;
  int at = 0;
  std::vector<gid_t> groups;
  if (std::sscanf(user, "%u:%u:%n", &uid, &gid, &at) != 2 || at == 0) errno = EINVAL, fail("--user wants uid:gid:groups, not", user);
  for (const char* p = user + at; *p != 0;) {
    char* end = nullptr;
    groups.push_back(static_cast<gid_t>(std::strtoul(p, &end, 10)));
    p = *end == ',' ? end + 1 : end;
    if (end == p && *p != 0) break;
  }
  if (setgroups(groups.size(), groups.data()) != 0 || setgid(gid) != 0 || setuid(uid) != 0) fail("cannot become", user);
}

// The child's half: everything that must happen inside, in the order in which each step still can.
[[noreturn]] void command(const Options& o, int node, const char* directory) {
  if (o.record != nullptr) record_self(o.record);
  if (o.cgroups != nullptr) join_cgroups(o.cgroups);  // before the cgroup namespace, whose root is the group we are in
  if ((o.fresh & CLONE_NEWCGROUP) != 0 && unshare(CLONE_NEWCGROUP) != 0) fail("cannot make a cgroup namespace");
  if (o.log != nullptr) {
    const int null = open("/dev/null", O_RDONLY), log = open(o.log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (null < 0 || log < 0) fail("cannot write", o.log);
    dup2(null, 0), dup2(log, 1), dup2(log, 2);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  }
  if (node >= 0) {
    // The switch shares what it does not have of its own with the machine: entering that is a harmless nothing.
    const int all = CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWNS;
    const int flags = all & ~o.fresh & ~(o.keep_root ? CLONE_NEWNS : 0);
    if (flags != 0 && setns(node, flags) != 0) fail("cannot enter", o.in);
    if (!o.keep_root && chdir(directory) != 0 && chdir("/") != 0) fail("cannot enter", directory);
  }
  if (o.user != nullptr) become(o.user);
  unsetenv("NODE_EXTRA_CA_CERTS");  // names a file that other nodes do not have, and slows every start of node
  execvp(o.command[0], o.command);
  std::fprintf(stderr, "testbed: %s: %s\n", o.command[0], std::strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

// Ends as the child ended, so that a caller's wait(2) sees the same.
[[noreturn]] void end_as(int status) {
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);  // the program's own core is enough
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  raise(signal);
  _exit(128 + signal);
}

// Waits for the child like a shell waits for its foreground job: signals go on to it, its stops are our stops.
[[noreturn]] void wait_for(pid_t child, bool own_group, bool terminal) {
  sigset_t all;
  sigfillset(&all);
  for (;;) {
    siginfo_t info{};
    const int signal = sigwaitinfo(&all, &info);
    if (signal < 0) continue;
    if (signal != SIGCHLD) {
      // What the terminal sends goes to its whole foreground group; the child has it already if it shares our group.
      if (info.si_code != SI_KERNEL) kill(child, signal);
      else if (own_group) kill(-child, signal);
      continue;
    }
    int status = 0;
    while (waitpid(child, &status, WNOHANG | WUNTRACED) == child) {
      if (!WIFSTOPPED(status)) {
        if (terminal) tcsetpgrp(0, getpgrp());
        end_as(status);
      }
      if (terminal) tcsetpgrp(0, getpgrp());
      kill(getpid(), SIGSTOP);  // here until somebody continues us
      if (terminal) tcsetpgrp(0, child);
      kill(own_group ? -child : child, SIGCONT);
    }
  }
}

}  // namespace

int run(int argc, char** argv) {
  const Options o = parse(argc, argv);
  int node = -1;
  if (o.in != nullptr) {
    node = static_cast<int>(syscall(SYS_pidfd_open, read_recorded((std::string(o.in) + "/pid").c_str()), 0));
    if (node < 0) fail("cannot find the process of", o.in);
    if (setns(node, CLONE_NEWPID) != 0) fail("cannot enter", o.in);  // counts for children only
  }
  char directory[PATH_MAX] = "/";
  if (getcwd(directory, sizeof directory) == nullptr) std::strcpy(directory, "/");

  if (o.detach) {
    // Two steps, so that the command belongs to process 1 of the namespace entered and is reaped there.
    int done[2];
    if (pipe2(done, O_CLOEXEC) != 0) fail("cannot make a pipe");
    const pid_t middle = fork();
    if (middle < 0) fail("cannot fork");
    if (middle == 0) {
      const int flags = o.fresh & ~CLONE_NEWCGROUP;
      const long child = syscall(SYS_clone, static_cast<unsigned long>(flags) | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
      if (child < 0) fail("cannot make namespaces");
      if (child != 0) _exit(0);
      setsid();
      command(o, node, directory);
    }
    close(done[1]);
    char byte = 0;
    if (read(done[0], &byte, 1) < 0) fail("cannot start the command");  // ends at the command's exec, or with it
    int status = 0;
    waitpid(middle, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
  }

  const bool tty = isatty(0) != 0;
  const bool terminal = tty && isatty(1) != 0 && tcgetpgrp(0) == getpgrp();
  const bool own_group = terminal || !tty;
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  const pid_t child = fork();
  if (child < 0) fail("cannot fork");
  if (own_group) setpgid(child, child);  // by both, so that neither can be too late
  if (terminal) tcsetpgrp(0, child == 0 ? getpid() : child);
  if (child == 0) {
    if (own_group) setpgid(0, 0);
    if (terminal) tcsetpgrp(0, getpgrp());
    sigprocmask(SIG_SETMASK, &before, nullptr);
    command(o, node, directory);
  }
  wait_for(child, own_group, terminal);
}

}  // namespace testbed
