// A signalfd gives what is pending, several at once, with the sender's information; poll and epoll say when; its set can be changed.
#include "../../lab.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

BEHAVIOUR {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < 3; ++i) sigaddset(&set, SIGRTMIN + i);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct signalfd_siginfo info[4];
  memset(info, 0xee, sizeof info);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK), many = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = 5};
  if (epoll_ctl(many, EPOLL_CTL_ADD, fd, &event)) abort();
  struct pollfd one = {.fd = fd, .events = POLLIN};
  DO(poll(&one, 1, 0));
  DO(read(fd, info, sizeof info));
  sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 7});
  sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 8});
  DO(poll(&one, 1, 0));
  DO(epoll_wait(many, &event, 1, 0));
  DO(read(fd, info, 127));
  DO(read(fd, info, sizeof info));
  for (int i = 0; i < 3; ++i)
    SAY("%d: signo %d code %d value %d mine %d", i, i < 2 ? (int)info[i].ssi_signo - SIGRTMIN : (int)info[i].ssi_signo, info[i].ssi_code, info[i].ssi_int,
        info[i].ssi_pid == (uint32_t)getpid());
  sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 9});
  sigdelset(&set, SIGRTMIN + 2);
  DO(signalfd(fd, &set, 0) == fd);
  DO(poll(&one, 1, 0));
  DO(read(fd, info, sizeof info));
  sigaddset(&set, SIGRTMIN + 2);
  DO(signalfd(fd, &set, 0) == fd);
  DO(epoll_wait(many, &event, 1, 1000));
  DO(read(fd, info, 300));
  DO(signalfd(0, &set, 0));
  DO(signalfd(99, &set, 0));
  DO(signalfd(-1, &set, 1));
}
