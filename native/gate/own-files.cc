#include "own-files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>

#include "filter.h"
#include "sockets.h"
#include "stub/wire.h"

namespace mosrun {

namespace {

// The number that process `pid` of our own pid namespace has in the hosting node's /proc: a pidfd's fdinfo says it there.
int hosting_pid(int proc, pid_t pid) {
  int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return -errno;
  char path[48], text[512];
  snprintf(path, sizeof path, "self/fdinfo/%d", pidfd);
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);   // looks the descriptor up again
  close(pidfd);
  if (fd >= 0) close(fd);
  if (got < 0) return -ESRCH;
  text[got] = 0;
  const char *line = strstr(text, "Pid:");
  int number = line ? atoi(line + 4) : 0;
  return number > 0 ? number : -ESRCH;
}

int open_own_file(int proc, pid_t pid, uint64_t which) {
  static constexpr const char *names[] = {"maps", "pagemap", "smaps", "status"};   // by kOwnMaps, ...
  if (which > kOwnStatus) return -EINVAL;
  int number = hosting_pid(proc, pid);
  if (number < 0) return number;
  char path[48];
  snprintf(path, sizeof path, "%d/%s", number, names[which]);
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

}  // namespace

void answer_own_file(int notifier, int proc) {
  // The kernel insists on zeroes (seccomp_unotify(2)). The structures have kept their size since 5.0.
  seccomp_notif request{};
  if (ioctl(notifier, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) return;   // the process was killed meanwhile
  int fd = open_own_file(proc, static_cast<pid_t>(request.pid), request.data.args[1]);
  seccomp_notif_resp answer{request.id, 0, fd < 0 ? fd : 0, 0};
  if (fd >= 0) {
    seccomp_notif_addfd add{request.id, 0, static_cast<uint32_t>(fd), 0, O_CLOEXEC};
    int given = ioctl(notifier, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    if (given >= 0) answer.val = given;
    else answer.error = -EMFILE;
    close(fd);
  }
  ioctl(notifier, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

}  // namespace mosrun
