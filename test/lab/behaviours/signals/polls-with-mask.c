// ppoll, pselect and epoll_pwait change the mask and wait in one step: a pending signal ends them at once, and the mask is as before afterwards.
#include "../../lab.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile sig_atomic_t count;
static void handler(int signal) { (void)signal, ++count; }
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_SETMASK, &blocked, NULL);
  int ends[2];
  if (pipe(ends)) abort();
  const int many = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(many, EPOLL_CTL_ADD, ends[0], &event);
  struct pollfd one = {.fd = ends[0], .events = POLLIN};
  struct timespec time = {0, 100000000}, longer = {10, 0};
  send_it();
  DO(ppoll(&one, 1, &time, &blocked));
  SAY("%d", count);
  DO(ppoll(&one, 1, &longer, &none));
  SAY("%d", count);
  send_it();
  DO(pselect(ends[0] + 1, NULL, NULL, NULL, &longer, &none));
  SAY("%d", count);
  send_it();
  DO(epoll_pwait(many, &event, 1, 10000, &none));
  SAY("%d", count);
  send_it();
  DO(epoll_pwait2(many, &event, 1, &longer, &none));
  SAY("%d", count);
  pthread_t other = later(60, send_it);
  DO(ppoll(&one, 1, NULL, &none));
  SAY("%d", count);
  pthread_join(other, NULL);
  other = later(60, send_it);
  DO(epoll_pwait(many, &event, 1, -1, &none));
  SAY("%d", count);
  pthread_join(other, NULL);
  send_it();
  DO(ppoll(&one, 1, &time, NULL));
  SAY("%d", count);
  sigset_t now;
  sigprocmask(SIG_BLOCK, NULL, &now);
  SAY("blocked %d %d", sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2));
  DO(syscall(SYS_ppoll, &one, 1, &time, &none, 4));
}
