// The testbed's one static program: what its nodes need where there is no shell, no coreutils and no library.
//   init                     process 1 of the testbed and of each node
//   run OPTIONS -- CMD       enter (or make) namespaces and run a command there (run.cc)
//   relay OPTIONS            a cable with a delay (relay.cc)
//   env CMD                  stands as /usr/bin/env in nodes without coreutils, for the commands' first lines
#include "tool.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace testbed {

void fail(const char* what, const char* which) {
  std::fprintf(stderr, "testbed: %s%s%s: %s\n", what, *which ? " " : "", which, std::strerror(errno));
  _exit(125);
}

}  // namespace testbed

namespace {

// Process 1 of a pid namespace: every orphan becomes its child and must be reaped; when it ends, the kernel kills all others.
int init(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--release") == 0) {
    // pivot_root(2) left the machine's tree here; nothing in the new root could unmount it before us.
    if (umount2(argv[2], MNT_DETACH) != 0) testbed::fail("cannot release", argv[2]);
    rmdir(argv[2]);
  }
  for (int fd = 0; fd < 3; ++fd) close(fd);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  for (;;) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    int signal = 0;
    sigwait(&set, &signal);
    if (signal == SIGTERM) return 0;
  }
}

int env(char** argv) {
  if (argv[1] == nullptr) return 125;
  execvp(argv[1], argv + 1);
  std::fprintf(stderr, "env: %s: %s\n", argv[1], std::strerror(errno));
  return errno == ENOENT ? 127 : 126;
}

}  // namespace

int main(int argc, char** argv) {
  const char* slash = std::strrchr(argv[0], '/');
  if (std::strcmp(slash != nullptr ? slash + 1 : argv[0], "env") == 0) return env(argv);
  if (argc >= 2) {
    if (std::strcmp(argv[1], "init") == 0) return init(argc - 1, argv + 1);
    if (std::strcmp(argv[1], "run") == 0) return testbed::run(argc - 1, argv + 1);
    if (std::strcmp(argv[1], "relay") == 0) return testbed::relay(argc - 1, argv + 1);
  }
  std::fprintf(stderr, "usage: tool init | run | relay\n");
  return 2;
}
