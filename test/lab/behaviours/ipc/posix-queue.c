// A POSIX queue gives messages by priority, waits when empty or full, for as long as it is told, and goes with its last user.
#include "../../lab.h"
#include <mqueue.h>

static mqd_t q;
static void put(void) { if (mq_send(q, "late", 5, 1)) abort(); }

BEHAVIOUR {
  char name[64], text[32];
  unsigned priority = 77;
  snprintf(name, sizeof name, "/lab-q-%d", getpid());
  struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 16}, told;
  q = TRY(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
  TRY(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
  DO(mq_send(q, "low", 4, 1));
  DO(mq_send(q, "high", 5, 9));
  DO(mq_send(q, "low too", 8, 1));
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 60000000;
  if (until.tv_nsec > 999999999) until.tv_nsec -= 1000000000, ++until.tv_sec;
  DO(mq_timedsend(q, "full", 5, 1, &until));
  DO(mq_getattr(q, &told));
  SAY("%ld of %ld, %ld bytes", told.mq_curmsgs, told.mq_maxmsg, told.mq_msgsize);
  DO(mq_receive(q, text, 15, &priority));
  for (int i = 0; i < 3; ++i) {
    DO(mq_receive(q, text, 32, &priority));
    SAY("%s %u", text, priority);
  }
  const pthread_t other = later(60, put);
  DO(mq_receive(q, text, 32, NULL));
  pthread_join(other, NULL);
  DO(mq_timedreceive(q, text, 32, NULL, &until));
  attr.mq_flags = O_NONBLOCK;
  DO(mq_setattr(q, &attr, &told));
  DO(mq_receive(q, text, 32, NULL));
  DO(mq_send(q, "much too long for it", 21, 0));
  DO(mq_send(q, "x", 1, 40000));
  DO(mq_unlink(name));
  DO(mq_unlink(name));
  DO(mq_send(q, "", 0, 0));
  DO(mq_close(q));
  DO(mq_send(q, "x", 1, 0));
}
