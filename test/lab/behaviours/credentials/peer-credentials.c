// SO_PEERCRED tells who connected or made the pair, as they were then; a message's credentials must be the sender's own.
#include "../../lab.h"

static void told(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size)) abort();
  SAY("mine %d, user %d, group %d", peer.pid == getpid(), peer.uid, peer.gid);
}

BEHAVIOUR {
  int pair[2], one = 1;
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "name"};
  const int server = DO(socket(AF_UNIX, SOCK_STREAM, 0));
  AT(umask(0));
  DO(chmod(".", 0777));
  DO(bind(server, (struct sockaddr *)&name, sizeof name));
  DO(listen(server, 5));
  DO(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  DO(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
  DO(setresgid(1003, 1003, 1003));
  DO(setresuid(1002, 1002, 1002));
  const int client = DO(socket(AF_UNIX, SOCK_STREAM, 0));
  DO(connect(client, (struct sockaddr *)&name, sizeof name));
  DO(unlink("name"));
  const int accepted = DO(accept(server, NULL, NULL));
  told(accepted);
  told(client);
  told(pair[0]);
  union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(struct ucred))]; } control;
  struct iovec data = {(char[]){"x"}, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  DO(send(pair[0], "a", 1, 0));
  DO(recvmsg(pair[1], &message, 0));
  struct ucred *sender = (struct ucred *)CMSG_DATA(&control.head);
  SAY("mine %d, user %d, group %d", sender->pid == getpid(), sender->uid, sender->gid);
  DO(sendmsg(pair[0], &message, 0));
  sender->uid = 0;
  DO(sendmsg(pair[0], &message, 0));
  sender->uid = 1002;
  sender->pid = 1;
  DO(sendmsg(pair[0], &message, 0));
}
