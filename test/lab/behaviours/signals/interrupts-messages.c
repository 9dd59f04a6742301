// msgrcv and msgsnd never restart after a handler; mq_receive and mq_send do with SA_RESTART.
#include "../../interrupts.h"
#include <mqueue.h>
#include <sys/msg.h>

static int queue;
static mqd_t mq;
struct note { long type; char text[4000]; };
static struct note note = {1, "text"};
static char large[8192];
static void put(void) { msgsnd(queue, &note, 10, IPC_NOWAIT); }
static void take(void) { if (msgrcv(queue, &large, 5000, 0, IPC_NOWAIT) < 0) abort(); }
static void mq_put(void) { if (mq_send(mq, "late", 4, 3)) abort(); }
static void mq_take(void) { if (mq_receive(mq, large, sizeof large, NULL) < 0) abort(); }

BEHAVIOUR {
  queue = msgget(IPC_PRIVATE, 0600);
  INTERRUPTED(msgrcv(queue, &large, 5000, 0, 0));
  RESTARTED(put, msgrcv(queue, &large, 5000, 0, 0));
  while (msgsnd(queue, &note, 4000, IPC_NOWAIT) == 0) continue;
  INTERRUPTED(msgsnd(queue, &note, 4000, 0));
  RESTARTED(take, msgsnd(queue, &note, 4000, 0));
  DO(msgctl(queue, IPC_RMID, NULL));
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 100};
  mq = mq_open("/interrupts-messages", O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  mq_unlink("/interrupts-messages");
  INTERRUPTED(mq_receive(mq, large, sizeof large, NULL));
  RESTARTED(mq_put, mq_receive(mq, large, sizeof large, NULL));
  mq_put();
  INTERRUPTED(mq_send(mq, "more", 4, 0));
  RESTARTED(mq_take, mq_send(mq, "more", 4, 0));
}
