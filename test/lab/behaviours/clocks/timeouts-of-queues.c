// mq_timedreceive, mq_timedsend, semtimedop and sigtimedwait end when their time is over; recv and send with SO_RCVTIMEO and SO_SNDTIMEO too.
#include "../../lab.h"
#include <mqueue.h>
#include <sys/sem.h>

static struct timespec in(long ms) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  t.tv_nsec += ms * 1000000;
  if (t.tv_nsec >= 1000000000) t.tv_nsec -= 1000000000, ++t.tv_sec;
  return t;
}

BEHAVIOUR {
  char text[128] = "";
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 100};
  const mqd_t mq = mq_open("/timeouts-of-queues", O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  mq_unlink("/timeouts-of-queues");
  struct timespec until, time = {0, 150000000};
  LASTS(0.1, AT(until = in(300)); DO(mq_timedreceive(mq, text, sizeof text, NULL, &until)));
  if (mq_send(mq, "x", 1, 0)) abort();
  LASTS(0.1, AT(until = in(300)); DO(mq_timedsend(mq, "y", 1, 0, &until)));
  const int set = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf down = {0, -1, 0};
  LASTS(0.15, DO(semtimedop(set, &down, 1, &time)));
  DO(semctl(set, 0, IPC_RMID));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  LASTS(0.15, DO(sigtimedwait(&signals, NULL, &time)));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)) abort();
  struct timeval wait = {0, 150000};
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  LASTS(0.12, DO(recv(ends[0], text, sizeof text, 0)));
  while (send(ends[0], text, 100, MSG_DONTWAIT) > 0) continue;
  LASTS(0.12, DO(send(ends[0], text, 100, 0)));
}
