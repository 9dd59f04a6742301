// mq_notify sends a signal for the first message of an empty queue, once, to one process.
#include "../../lab.h"
#include <mqueue.h>

static volatile sig_atomic_t told, value;
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  told++;
  value = info->si_value.sival_int;
}
static void wait_for(int n) { for (int i = 0; i < 500 && told < n; ++i) sleep_ms(2); }

BEHAVIOUR {
  char name[64], text[8192];
  snprintf(name, sizeof name, "/lab-n-%d", getpid());
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN + 3, &action, NULL);
  const mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, NULL);
  mq_unlink(name);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3, .sigev_value.sival_int = 4242};
  DO(mq_notify(q, &event));
  DO(mq_notify(q, &event));
  DO(mq_send(q, "a", 1, 0));
  AT(wait_for(1));
  SAY("%d %d", told, value);
  DO(mq_send(q, "b", 1, 0));
  DO(mq_notify(q, &event));
  DO(mq_notify(q, NULL));
  AT(while (mq_receive(q, text, sizeof text, NULL) >= 0) continue);
  DO(mq_notify(q, &event));
  DO(mq_send(q, "c", 1, 0));
  AT(wait_for(2));
  SAY("%d", told);
  event.sigev_signo = 1000;
  DO(mq_notify(q, &event));
  event = (struct sigevent){.sigev_notify = SIGEV_NONE};
  DO(mq_notify(q, &event));
  DO(mq_notify(777, &event));
}
