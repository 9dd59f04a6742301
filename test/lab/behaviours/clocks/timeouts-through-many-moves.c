// Time-outs end when they should although the waiting thread is moved again and again meanwhile: constant ones, and those of sockets, too.
#include "../../lab.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/time.h>

static atomic_bool over;
static void *move_on(void *) {
  while (!over) {
    lab_point("meanwhile");
    sleep_ms(120);
  }
  return NULL;
}

// Each begins at a point of its own, and passes many more: one that began anew with each of them would not end.
#define ENDS(call)                                                    \
  do {                                                                \
    pthread_t mover;                                                  \
    over = false;                                                     \
    sigset_t all, old;                                                \
    sigfillset(&all);                                                 \
    pthread_sigmask(SIG_BLOCK, &all, &old);                           \
    if (pthread_create(&mover, NULL, move_on, NULL)) abort();         \
    pthread_sigmask(SIG_SETMASK, &old, NULL);                         \
    LASTS(0.6, DO(call));                                             \
    over = true;                                                      \
    pthread_join(mover, NULL);                                        \
  } while (0)

BEHAVIOUR {
  struct timespec *constant = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *constant = (struct timespec){0, 600000000};
  mprotect(constant, 4096, PROT_READ);
  struct timeval time = {0, 600000};
  int ends[2], s[2];
  if (pipe(ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, s)) abort();
  setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  struct pollfd one = {.fd = ends[0], .events = POLLIN};
  struct epoll_event event;
  const int many = epoll_create1(0);
  char text[16] = "";
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  ENDS(syscall(SYS_ppoll, &one, 1, constant, NULL, 8));
  ENDS(syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, constant, NULL));
  ENDS(syscall(SYS_epoll_pwait2, many, &event, 1, constant, NULL, 8));
  ENDS(select(0, NULL, NULL, NULL, &time));
  HOLDS(time.tv_sec == 0 && time.tv_usec == 0);
  sigset_t waited;
  sigemptyset(&waited);
  sigaddset(&waited, SIGUSR1);
  ENDS(syscall(SYS_rt_sigtimedwait, &waited, NULL, constant, 8));
  const int semaphore = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf down = {0, -1, 0};
  ENDS(semtimedop(semaphore, &down, 1, constant));
  semctl(semaphore, 0, IPC_RMID);
  ENDS(recv(s[0], text, sizeof text, 0));
  ENDS(read(s[0], text, sizeof text));
  struct iovec part = {text, sizeof text};
  struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
  ENDS(recvmsg(s[0], &message.msg_hdr, 0));
  ENDS(recvmmsg(s[0], &message, 1, 0, NULL));
  while (send(s[0], text, sizeof text, MSG_DONTWAIT) > 0) continue;
  ENDS(send(s[0], text, sizeof text, 0));
  ENDS(write(s[0], text, sizeof text));
}
