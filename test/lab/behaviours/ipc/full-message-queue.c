// A full queue lets the sender wait until there is room; its removal wakes him.
#include "../../lab.h"
#include <sys/msg.h>

static int id;
static struct { long type; char text[4096]; } m = {1, ""}, got;
static void take(void) { if (msgrcv(id, &got, 4096, 0, 0) < 0) abort(); }
static void end_it(void) { msgctl(id, IPC_RMID, NULL); }

BEHAVIOUR {
  struct msqid_ds status;
  id = TRY(msgget(IPC_PRIVATE, 0600));
  msgctl(id, IPC_STAT, &status);
  status.msg_qbytes = 8192;
  DO(msgctl(id, IPC_SET, &status));
  DO(msgsnd(id, &m, 4096, 0));
  DO(msgsnd(id, &m, 4096, 0));
  DO(msgsnd(id, &m, 1, IPC_NOWAIT));
  pthread_t other = later(60, take);
  DO(msgsnd(id, &m, 4096, 0));
  pthread_join(other, NULL);
  other = later(60, end_it);
  // One that is moved at this moment asks again, and it is gone.
  AT(HOLDS(msgsnd(id, &m, 4096, 0) == -1 && (errno == EIDRM || errno == EINVAL)));
  pthread_join(other, NULL);
}
