// Where the program is in a file that it reads is the same for all who have its open file: copies of the descriptor, children, who is sent it; and so for the
// program that it becomes.
// home: fork
#include "../../lab.h"

static char got[100000];

static void send_descriptor(int to, int fd) {
  char byte = 'd', room[CMSG_SPACE(sizeof fd)] = "";
  struct iovec one = {&byte, 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  DO(sendmsg(to, &message, 0));
}

static int received(int from) {
  char byte, room[CMSG_SPACE(sizeof(int))] = "";
  struct iovec one = {&byte, 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  if (recvmsg(from, &message, 0) != 1) return -1;
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

BEHAVIOUR {
  if (lab_argc > 1) {
    SAY("begun anew at %ld", lseek(5, 0, SEEK_CUR));
    DO(read(5, got, 1000));
    SAY("%.5s", got);
    return;
  }
  const int made = open("file", O_WRONLY | O_CREAT, 0600);
  for (int i = 0; i < 60000; ++i) dprintf(made, "%05d,", i);
  close(made);
  int fd = DO(open("file", O_RDONLY));
  DO(read(fd, got, 60000));
  const int copy = DO(dup(fd));
  DO(lseek(copy, 0, SEEK_CUR));
  DO(read(copy, got, 6000));
  DO(read(fd, got, 6000));
  SAY("%.5s", got);
  DO(close(copy));

  close(fd), fd = DO(open("file", O_RDONLY));
  DO(read(fd, got, 66000));
  DO(dup2(fd, 77));
  DO(lseek(77, 600, SEEK_CUR));
  DO(read(fd, got, 60));
  SAY("%.5s", got);
  close(77);

  close(fd), fd = DO(open("file", O_RDONLY));
  DO(read(fd, got, 90000));
  pid_t child = FORK();
  if (!child) {
    lab_point("in the child");
    _exit(lseek(fd, 0, SEEK_CUR) == 90000 && read(fd, got, 60) == 60 && !memcmp(got, "15000", 5) ? 7 : 1);
  }
  SAY("child %d", ended(child));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(read(fd, got, 60));
  SAY("%.5s", got);

  int ends[2];
  DO(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  child = FORK();
  if (!child) {
    const int theirs = received(ends[1]);
    _exit(read(theirs, got, 60000) == 60000 && !memcmp(got, "01000", 5) ? 8 : 1);
  }
  close(fd), fd = DO(open("file", O_RDONLY));
  DO(read(fd, got, 6000));
  send_descriptor(ends[0], fd);
  SAY("child %d", ended(child));
  DO(lseek(fd, 0, SEEK_CUR));
  DO(read(fd, got, 60));
  SAY("%.5s", got);

  close(fd), fd = DO(open("file", O_RDONLY));
  DO(read(fd, got, 99000));
  if (fd != 5) dup2(fd, 5);
  DO(lseek(5, -3000, SEEK_CUR));
  char *words[] = {"x", "anew", NULL};
  lab_point("exec");
  execv("/proc/self/exe", words);
}
