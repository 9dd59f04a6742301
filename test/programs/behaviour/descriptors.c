// Pipes, sockets of several kinds, descriptors passed between processes, epoll, eventfd, inotify, locks, directories, vectors, large calls.
#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

static char big[300000], back[300000];

static void *pump(void *argument) {
  const int fd = *(int *)argument;
  for (size_t done = 0; done < sizeof big;) {
    const ssize_t sent = write(fd, big + done, sizeof big - done);
    if (sent <= 0) return (void *)1;
    done += (size_t)sent;
  }
  return NULL;
}

static void pipes(void) {
  int ends[2];
  pthread_t thread;
  CHECK(pipe(ends) == 0);
  memset(back, 0, sizeof back);
  CHECK(pthread_create(&thread, NULL, pump, &ends[1]) == 0);
  size_t got = 0;
  while (got < sizeof back) {
    const ssize_t n = read(ends[0], back + got, sizeof back - got);
    if (n <= 0) break;
    got += (size_t)n;
  }
  CHECK(got == sizeof big && memcmp(big, back, sizeof big) == 0);
  pthread_join(thread, NULL);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
  close(ends[1]);
}

static void internet(void) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, peer;
  socklen_t length = sizeof address;
  CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 5) == 0);
  CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0 && address.sin_port != 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
  length = sizeof peer;
  const int server = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
  CHECK(server >= 0 && length == sizeof peer && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  int one = 1, value = 0;
  length = sizeof value;
  CHECK(setsockopt(client, IPPROTO_TCP, 1, &one, sizeof one) == 0);
  CHECK(getsockopt(client, SOL_SOCKET, SO_TYPE, &value, &length) == 0 && value == SOCK_STREAM && length == sizeof value);
  char head[4] = "", tail[8] = "";
  struct iovec parts[2] = {{"one", 3}, {" and two", 8}}, rooms[2] = {{head, 3}, {tail, 8}};
  CHECK(writev(client, parts, 2) == 11);
  usleep(1000);
  CHECK(readv(server, rooms, 2) == 11 && memcmp(head, "one", 3) == 0 && memcmp(tail, " and two", 8) == 0);
  CHECK(recv(server, tail, 8, MSG_DONTWAIT) == -1 && errno == EAGAIN);
  CHECK(shutdown(client, SHUT_WR) == 0 && read(server, tail, 8) == 0);
  const int refused = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_port = htons(1);
  CHECK(connect(refused, (struct sockaddr *)&address, sizeof address) == -1 && errno == ECONNREFUSED);
  close(refused), close(client), close(server), close(listener);
}

// A descriptor, credentials and several messages through a unix socket.
static void passing(void) {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  const int event = eventfd(5, 0);
  char control[CMSG_SPACE(sizeof(int))] = "", data[8] = "";
  struct iovec part = {"desc", 4}, room = {data, sizeof data};
  struct msghdr out = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *head = CMSG_FIRSTHDR(&out);
  *head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(head), &event, sizeof event);
  CHECK(sendmsg(pair[0], &out, 0) == 4);
  memset(control, 0, sizeof control);
  struct msghdr in = {.msg_iov = &room, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  CHECK(recvmsg(pair[1], &in, MSG_CMSG_CLOEXEC) == 4 && memcmp(data, "desc", 4) == 0);
  head = CMSG_FIRSTHDR(&in);
  CHECK(head != NULL && head->cmsg_type == SCM_RIGHTS);
  int passed = -1;
  if (head != NULL) memcpy(&passed, CMSG_DATA(head), sizeof passed);
  unsigned long long count = 0;
  CHECK(read(passed, &count, sizeof count) == sizeof count && count == 5);
  CHECK((fcntl(passed, F_GETFD) & FD_CLOEXEC) != 0);
  struct mmsghdr two[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};
  CHECK(sendmmsg(pair[0], two, 2, 0) == 2 && two[1].msg_len == 4);
  char datas[2][8];
  struct iovec rooms[2] = {{datas[0], 8}, {datas[1], 8}};
  struct mmsghdr got[2] = {{.msg_hdr = {.msg_iov = &rooms[0], .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &rooms[1], .msg_iovlen = 1}}};
  CHECK(recvmmsg(pair[1], got, 2, 0, NULL) == 2 && got[1].msg_len == 4 && memcmp(datas[1], "desc", 4) == 0);
  close(passed), close(event), close(pair[0]), close(pair[1]);
}

static void waiting(void) {
  const int queue = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_NONBLOCK);
  struct epoll_event entry = {.events = EPOLLIN, .data = {.u64 = 0x1122334455667788}}, ready[3];
  CHECK(epoll_ctl(queue, EPOLL_CTL_ADD, event, &entry) == 0);
  CHECK(epoll_wait(queue, ready, 3, 0) == 0);
  const pid_t child = fork();
  if (child == 0) {
    usleep(20000);
    const unsigned long long three = 3;
    _exit(write(event, &three, sizeof three) != sizeof three);
  }
  CHECK(epoll_wait(queue, ready, 3, 5000) == 1 && ready[0].data.u64 == 0x1122334455667788);
  struct pollfd watched[2] = {{event, POLLIN, 0}, {-1, POLLIN, 0}};
  CHECK(poll(watched, 2, 1000) == 1 && watched[0].revents == POLLIN);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(event, &set);
  struct timeval second = {1, 0};
  CHECK(select(event + 1, &set, NULL, NULL, &second) == 1 && FD_ISSET(event, &set));
  waitpid(child, NULL, 0);
  close(event), close(queue);
}

static void on_files(void) {
  char directory[] = "descriptors-XXXXXX", name[64], other[64], there[64];
  CHECK(mkdtemp(directory) != NULL);
  snprintf(name, sizeof name, "%s/name", directory);
  snprintf(other, sizeof other, "%s/other", directory);
  const int watch = inotify_init1(IN_NONBLOCK);
  CHECK(inotify_add_watch(watch, directory, IN_CREATE | IN_MOVED_TO) > 0);
  const int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0640), dirfd = open(directory, O_RDONLY | O_DIRECTORY);
  struct stat at, by;
  CHECK(fd >= 0 && fstat(fd, &at) == 0 && (at.st_mode & 0777) == 0640 && fstatat(dirfd, "name", &by, 0) == 0 && by.st_ino == at.st_ino);
  CHECK(write(fd, big, sizeof big) == sizeof big && lseek(fd, 0, SEEK_END) == sizeof big);
  CHECK(pread(fd, back, sizeof back, 0) == sizeof back && memcmp(big, back, sizeof big) == 0);
  CHECK(symlink("name", other) == 0 && readlink(other, there, sizeof there) == 4 && memcmp(there, "name", 4) == 0);
  CHECK(flock(fd, LOCK_EX) == 0);
  const int second = open(name, O_RDWR);
  CHECK(flock(second, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20};
  CHECK(fcntl(fd, F_SETLK, &lock) == 0);
  const pid_t child = fork();
  if (child == 0) {
    struct flock question = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    _exit(fcntl(second, F_GETLK, &question) == 0 && question.l_pid == getppid() && question.l_start == 10 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  off_t from = 100;
  const int copy = openat(dirfd, "copy", O_RDWR | O_CREAT, 0600);
  CHECK(sendfile(copy, fd, &from, 5000) == 5000 && from == 5100);
  CHECK(pread(copy, back, 5000, 0) == 5000 && memcmp(back, big + 100, 5000) == 0);
  int names = 0;
  DIR *listing = opendir(directory);
  while (readdir(listing) != NULL) ++names;
  closedir(listing);
  CHECK(names == 5);
  char events[4096];
  CHECK(read(watch, events, sizeof events) > 0);
  int waiting = -1;
  CHECK(ioctl(watch, FIONREAD, &waiting) == 0 && waiting == 0);
  char path[256], here[256];
  CHECK(getcwd(here, sizeof here) != NULL && chdir(directory) == 0 && getcwd(path, sizeof path) != NULL && strlen(path) > strlen(here));
  CHECK(chdir(here) == 0);
  close(copy), close(second), close(fd), close(dirfd), close(watch);
  char removed[64];
  snprintf(removed, sizeof removed, "%s/copy", directory);
  CHECK(unlink(removed) == 0 && unlink(name) == 0 && unlink(other) == 0 && rmdir(directory) == 0);
}

static void terminal(void) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  char name[64] = "";
  CHECK(ptsname_r(master, name, sizeof name) == 0);
  const int slave = open(name, O_RDWR | O_NOCTTY);
  struct winsize size = {.ws_row = 33, .ws_col = 77}, seen = {0, 0, 0, 0};
  CHECK(isatty(slave) == 1 && ioctl(master, TIOCSWINSZ, &size) == 0 && ioctl(slave, TIOCGWINSZ, &seen) == 0 && seen.ws_col == 77);
  char text[32] = "";
  CHECK(write(slave, "out\n", 4) == 4);
  // A worker of the kernel's brings it over, in one piece or two.
  for (ssize_t have = 0, n = 1; have < 5 && n > 0; have += n) n = read(master, text + have, sizeof text - (size_t)have);
  CHECK(memcmp(text, "out\r\n", 6) == 0);
  CHECK(write(master, "in\n", 3) == 3 && read(slave, text, sizeof text) == 3);
  close(slave), close(master);
}

int main(int argc, char **argv) {
  const double end = now() + (argc > 1 ? atof(argv[1]) : 0);
  for (size_t i = 0; i < sizeof big; ++i) big[i] = (char)(i * 7 % 255);
  do {
    pipes();
    internet();
    passing();
    waiting();
    on_files();
    terminal();
  } while (now() < end);
  return finish();
}
