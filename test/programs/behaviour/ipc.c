// System V semaphores and messages, POSIX message queues and semaphores of a process: values, blocking, time-outs, errors.
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>

union semun {
  int val;
  struct semid_ds *buf;
  unsigned short *array;
};

static void semaphores(void) {
  enum { count = 5 };
  const int id = semget(IPC_PRIVATE, count, 0600);
  CHECK(id >= 0);
  unsigned short set[count] = {1, 2, 3, 4, 5}, got[count + 1] = {0};
  got[count] = 4711;
  CHECK(semctl(id, 0, SETALL, (union semun){.array = set}) == 0);
  CHECK(semctl(id, 0, GETALL, (union semun){.array = got}) == 0 && memcmp(set, got, sizeof set) == 0 && got[count] == 4711);
  CHECK(semctl(id, 3, GETVAL) == 4 && semctl(id, 3, SETVAL, (union semun){.val = 9}) == 0 && semctl(id, 3, GETVAL) == 9);
  struct semid_ds status;
  CHECK(semctl(id, 0, IPC_STAT, (union semun){.buf = &status}) == 0 && status.sem_nsems == count);
  void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(semctl(id, 0, GETALL, (union semun){.array = nowhere}) == -1 && errno == EFAULT);
  CHECK(semctl(id, 0, SETALL, (union semun){.array = nowhere}) == -1 && errno == EFAULT);
  munmap(nowhere, 4096);
  struct sembuf down[2] = {{0, -1, 0}, {1, -2, 0}}, more = {0, -1, 0}, up = {0, 1, 0}, none = {0, -1, IPC_NOWAIT};
  CHECK(semop(id, down, 2) == 0 && semctl(id, 0, GETVAL) == 0 && semctl(id, 1, GETVAL) == 0);
  CHECK(semop(id, &none, 1) == -1 && errno == EAGAIN);
  const double began = now();
  CHECK(semtimedop(id, &more, 1, &(struct timespec){0, 50000000}) == -1 && errno == EAGAIN);
  CHECK(now() - began >= 0.049 && now() - began < 3);
  const pid_t child = fork();
  if (child == 0) {
    usleep(30000);
    _exit(semop(id, &up, 1) != 0);
  }
  int status_of = -1;
  CHECK(semop(id, &more, 1) == 0);
  CHECK(waitpid(child, &status_of, 0) == child && status_of == 0);
  CHECK(semctl(id, 0, IPC_RMID) == 0 && semctl(id, 0, GETALL, (union semun){.array = got}) == -1 && errno == EINVAL);
}

static void messages(void) {
  struct { long type; char text[100]; } out = {7, "seven"}, in;
  const int id = msgget(IPC_PRIVATE, 0600);
  CHECK(id >= 0 && msgsnd(id, &out, 6, 0) == 0);
  out.type = 8;
  strcpy(out.text, "number eight");
  CHECK(msgsnd(id, &out, 13, 0) == 0);
  CHECK(msgrcv(id, &in, sizeof in.text, 8, 0) == 13 && in.type == 8 && strcmp(in.text, "number eight") == 0);
  CHECK(msgrcv(id, &in, 3, 0, 0) == -1 && errno == E2BIG);
  CHECK(msgrcv(id, &in, sizeof in.text, 0, 0) == 6 && in.type == 7);
  CHECK(msgrcv(id, &in, sizeof in.text, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
  const pid_t child = fork();
  if (child == 0) {
    usleep(30000);
    _exit(msgsnd(id, &out, 13, 0) != 0);
  }
  int status = -1;
  CHECK(msgrcv(id, &in, sizeof in.text, 0, 0) == 13 && in.type == 8);
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  struct msqid_ds state;
  CHECK(msgctl(id, IPC_STAT, &state) == 0 && state.msg_qnum == 0 && msgctl(id, IPC_RMID, NULL) == 0);
}

static volatile int notified;
static void on_thread(union sigval value) { notified = value.sival_int; }

static void queues(void) {
  char name[64], text[64];
  unsigned priority = 0;
  snprintf(name, sizeof name, "/behaviour-%d", (int)getpid());
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = sizeof text}, seen;
  const mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  CHECK(queue != (mqd_t)-1);
  CHECK(mq_getattr(queue, &seen) == 0 && seen.mq_maxmsg == 4 && seen.mq_curmsgs == 0);
  CHECK(mq_send(queue, "low", 4, 1) == 0 && mq_send(queue, "high", 5, 9) == 0);
  CHECK(mq_receive(queue, text, sizeof text, &priority) == 5 && priority == 9 && strcmp(text, "high") == 0);
  CHECK(mq_receive(queue, text, sizeof text, NULL) == 4 && strcmp(text, "low") == 0);
  const double began = now();
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 50000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec += 1, until.tv_nsec -= 1000000000;
  CHECK(mq_timedreceive(queue, text, sizeof text, NULL, &until) == -1 && errno == ETIMEDOUT);
  CHECK(now() - began >= 0.045 && now() - began < 3);
  // A notice by a thread: the C library hands the kernel a cookie behind a pointer.
  notified = 0;
  const struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 815, .sigev_notify_function = on_thread};
  CHECK(mq_notify(queue, &event) == 0);
  CHECK(mq_send(queue, "word", 5, 0) == 0);
  for (int i = 0; i < 200 && notified == 0; ++i) usleep(10000);
  CHECK(notified == 815);
  CHECK(mq_close(queue) == 0 && mq_unlink(name) == 0 && mq_unlink(name) == -1 && errno == ENOENT);
}

static sem_t own;
static void *post(void *argument) {
  usleep(20000);
  sem_post(&own);
  return argument;
}

static void within_the_process(void) {
  pthread_t thread;
  struct timespec until;
  CHECK(sem_init(&own, 0, 0) == 0 && sem_trywait(&own) == -1 && errno == EAGAIN);
  CHECK(pthread_create(&thread, NULL, post, NULL) == 0 && sem_wait(&own) == 0 && pthread_join(thread, NULL) == 0);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 40000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec += 1, until.tv_nsec -= 1000000000;
  CHECK(sem_timedwait(&own, &until) == -1 && errno == ETIMEDOUT);
  sem_destroy(&own);
}

int main(int argc, char **argv) {
  const double end = now() + (argc > 1 ? atof(argv[1]) : 0);
  do {
    semaphores();
    messages();
    queues();
    within_the_process();
  } while (now() < end);
  return finish();
}
