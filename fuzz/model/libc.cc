#include "libc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>

namespace mosrun::model {

Libc libc;

namespace {

bool is_own(int fd) { return libc.active && (fd >= kFirst || (libc.quiet && (fd == 1 || fd == 2))); }

ssize_t give(void *to, size_t n) {
  if (!libc.left) return libc.blocks ? (errno = EAGAIN, -1) : 0;
  n = std::min({n, libc.left, libc.portion ? size_t(libc.portion) : ~size_t{0}});
  memcpy(to, libc.input, n);
  libc.input += n;
  libc.left -= n;
  return ssize_t(n);
}

ssize_t take(const void *from, size_t n) {
  libc.sent.append(static_cast<const char *>(from), n);
  return ssize_t(n);
}

int fresh() { return ++libc.opened, libc.next++; }

}  // namespace

extern "C" {

ssize_t __real_recv(int, void *, size_t, int);
ssize_t __wrap_recv(int fd, void *to, size_t n, int flags) {
  if (!is_own(fd)) return __real_recv(fd, to, n, flags);
  if (!(flags & MSG_PEEK)) return give(to, n);
  if (!libc.left) return errno = EAGAIN, -1;
  memcpy(to, libc.input, n = n < libc.left ? n : libc.left);
  return ssize_t(n);
}
ssize_t __real_read(int, void *, size_t);
ssize_t __wrap_read(int fd, void *to, size_t n) { return is_own(fd) ? give(to, n) : __real_read(fd, to, n); }
ssize_t __real_send(int, const void *, size_t, int);
ssize_t __wrap_send(int fd, const void *from, size_t n, int flags) { return is_own(fd) ? take(from, n) : __real_send(fd, from, n, flags); }
ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int fd, const void *from, size_t n) { return is_own(fd) ? take(from, n) : __real_write(fd, from, n); }

ssize_t __real_sendmsg(int, const msghdr *, int);
ssize_t __wrap_sendmsg(int fd, const msghdr *m, int flags) {
  if (!is_own(fd)) return __real_sendmsg(fd, m, flags);
  if (m->msg_controllen) ++libc.descriptors_sent;
  return ssize_t(m->msg_iov->iov_len);
}
// A byte says whether a descriptor comes along.
ssize_t __real_recvmsg(int, msghdr *, int);
ssize_t __wrap_recvmsg(int fd, msghdr *m, int flags) {
  if (!is_own(fd)) return __real_recvmsg(fd, m, flags);
  if (!libc.left) return errno = EAGAIN, -1;
  bool with = take_byte() & 1;
  cmsghdr *rights = CMSG_FIRSTHDR(m);
  if (with && rights) {
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    int given = fresh();
    memcpy(CMSG_DATA(rights), &given, sizeof given);
  } else {
    m->msg_controllen = 0;
  }
  return give(m->msg_iov->iov_base, m->msg_iov->iov_len);
}

int __real_close(int);
int __wrap_close(int fd) { return is_own(fd) ? ++libc.closed, 0 : __real_close(fd); }
int __real_poll(pollfd *, nfds_t, int);
int __wrap_poll(pollfd *set, nfds_t n, int timeout) {
  if (!libc.active) return __real_poll(set, n, timeout);
  for (nfds_t i = 0; i < n; ++i) set[i].revents = set[i].events;
  return libc.left || !libc.blocks ? int(n) : 0;
}
int __real_socket(int, int, int);
int __wrap_socket(int domain, int type, int protocol) { return libc.active ? fresh() : __real_socket(domain, type, protocol); }
int __real_connect(int, const sockaddr *, socklen_t);
int __wrap_connect(int fd, const sockaddr *to, socklen_t n) { return is_own(fd) ? 0 : __real_connect(fd, to, n); }
int __real_setsockopt(int, int, int, const void *, socklen_t);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n) { return is_own(fd) ? 0 : __real_setsockopt(fd, level, name, value, n); }
int __real_getsockopt(int, int, int, void *, socklen_t *);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n) { return is_own(fd) ? memset(value, 0, *n), 0 : __real_getsockopt(fd, level, name, value, n); }
int __real_shutdown(int, int);
int __wrap_shutdown(int fd, int way) { return is_own(fd) ? 0 : __real_shutdown(fd, way); }

int __real_fcntl(int, int, ...);
int __wrap_fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  long argument = va_arg(list, long);
  va_end(list);
  return is_own(fd) ? 0 : __real_fcntl(fd, command, argument);
}
int __real_open(const char *, int, ...);
int __wrap_open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  int mode = va_arg(list, int);
  va_end(list);
  return libc.active ? fresh() : __real_open(path, flags, mode);
}
int __real_mkdir(const char *, mode_t);
int __wrap_mkdir(const char *path, mode_t mode) { return libc.active ? 0 : __real_mkdir(path, mode); }
int __real_rename(const char *, const char *);
int __wrap_rename(const char *from, const char *to) { return libc.active ? 0 : __real_rename(from, to); }
int __real_unlink(const char *);
int __wrap_unlink(const char *path) { return libc.active ? 0 : __real_unlink(path); }
int __real_prlimit(pid_t, int, const void *, void *);
int __wrap_prlimit(pid_t pid, int which, const void *fresh, void *old) { return libc.active ? 0 : __real_prlimit(pid, which, fresh, old); }
int __real_kill(pid_t, int);
int __wrap_kill(pid_t pid, int signal) {
  if (!libc.active) return __real_kill(pid, signal);
  libc.killed.push_back(pid);
  return 0;
}
pid_t __real_waitpid(pid_t, int *, int);
pid_t __wrap_waitpid(pid_t pid, int *status, int options) { return libc.active ? 0 : __real_waitpid(pid, status, options); }
long __real_syscall(long, ...);
long __wrap_syscall(long nr, ...) {
  va_list list;
  va_start(list, nr);
  long a[6];
  for (long &each : a) each = va_arg(list, long);
  va_end(list);
  if (!libc.active) return __real_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
  switch (nr) {
    case SYS_pidfd_open: case SYS_fcntl: return fresh();
    case SYS_pidfd_send_signal: return 0;
    default: violation("a call that nothing here should make", nr);
  }
}

}  // extern "C"

}  // namespace mosrun::model
