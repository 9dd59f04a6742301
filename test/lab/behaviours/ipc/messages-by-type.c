// Messages come in order, or by type; too long ones stay, or are cut if that is wished; a waiting reader wakes.
#include "../../lab.h"
#include <sys/msg.h>

static int id;
struct message { long type; char text[16]; };
static int put(long type, const char *text) {
  struct message m = {.type = type};
  strcpy(m.text, text);
  return msgsnd(id, &m, strlen(text), IPC_NOWAIT);
}
static void put_late(void) { put(5, "late"); }
static void take(long type, size_t size, int flags) {
  struct message m;
  memset(&m, 0, sizeof m);
  lab_point("msgrcv");
  const ssize_t n = msgrcv(id, &m, size, type, flags);
  SAY("type %ld: %d %s, %ld %.16s", type, (int)n, n < 0 ? lab_error(errno) : "", m.type, m.text);
}

BEHAVIOUR {
  id = TRY(msgget(IPC_PRIVATE, 0600));
  DO(put(3, "three"));
  DO(put(1, "one"));
  DO(put(2, "two, and long"));
  DO(put(3, "again three"));
  take(0, 16, 0);
  take(-2, 16, 0);
  take(2, 4, 0);
  take(2, 4, MSG_NOERROR);
  take(3, 16, MSG_EXCEPT | IPC_NOWAIT);
  take(7, 16, IPC_NOWAIT);
  const pthread_t other = later(60, put_late);
  take(5, 16, 0);
  pthread_join(other, NULL);
  DO(put(0, "no type"));
  DO(put(4, ""));
  take(4, 16, 0);
  take(3, 0, MSG_NOERROR);
  struct msqid_ds status;
  DO(msgctl(id, IPC_STAT, &status));
  SAY("%d messages, %d bytes", (int)status.msg_qnum, (int)status.__msg_cbytes);
  DO(msgctl(id, IPC_RMID, NULL));
}
