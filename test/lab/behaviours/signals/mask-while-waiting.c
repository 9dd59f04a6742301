// A handler that ends sigsuspend, ppoll, pselect or epoll_pwait runs under the mask of the wait and its own, and returns to the one from before the wait.
#include "../../lab.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <ucontext.h>

static char told[400];

static void tell(const char *what, const sigset_t *set) {
  strcat(told, what);
  for (int s = 1; s < 32; ++s)
    if (sigismember(set, s) == 1) sprintf(told + strlen(told), " %s", sigabbrev_np(s));
}

static void handler(int signal, siginfo_t *info, void *context) {
  (void)info;
  sigset_t now;
  sigprocmask(SIG_BLOCK, NULL, &now);
  sprintf(told + strlen(told), "[%s", sigabbrev_np(signal));
  tell(" under", &now);
  tell(", back to", &((ucontext_t *)context)->uc_sigmask);
  strcat(told, "] ");
}

static pthread_t waiting;
static void send_one(void) { pthread_kill(waiting, SIGUSR1); }
static void send_both(void) { kill(getpid(), SIGUSR2), pthread_kill(waiting, SIGUSR1); }

static void show(void) {
  sigset_t now;
  sigprocmask(SIG_BLOCK, NULL, &now);
  tell("then", &now);
  SAY("%s", told);
  *told = 0;
}

// Sent meanwhile, and before.
#define WAITS(call)                                       \
  do {                                                    \
    other = later(50, send_one);                          \
    DO(call);                                             \
    pthread_join(other, NULL);                            \
    show();                                               \
    send_both();                                          \
    DO(call);                                             \
    show();                                               \
  } while (0)

BEHAVIOUR {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaddset(&action.sa_mask, SIGALRM);
  sigaction(SIGUSR1, &action, NULL);
  action.sa_flags |= SA_NODEFER;
  sigaction(SIGUSR2, &action, NULL);
  sigset_t before, meanwhile;
  sigemptyset(&before);
  sigaddset(&before, SIGUSR1);
  sigaddset(&before, SIGUSR2);
  sigaddset(&before, SIGTERM);
  sigemptyset(&meanwhile);
  sigaddset(&meanwhile, SIGHUP);
  sigprocmask(SIG_SETMASK, &before, NULL);
  waiting = pthread_self();
  pthread_t other;
  int ends[2];
  if (pipe(ends)) abort();
  struct pollfd one = {.fd = ends[0], .events = POLLIN};
  const int many = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(many, EPOLL_CTL_ADD, ends[0], &event);
  struct timespec long_time = {20, 0};
  WAITS(sigsuspend(&meanwhile));
  WAITS(ppoll(&one, 1, NULL, &meanwhile));
  WAITS(ppoll(&one, 1, &long_time, &meanwhile));
  WAITS(pselect(ends[0] + 1, NULL, NULL, NULL, &long_time, &meanwhile));
  WAITS(epoll_pwait(many, &event, 1, 20000, &meanwhile));
  WAITS(epoll_pwait2(many, &event, 1, &long_time, &meanwhile));
  sigprocmask(SIG_SETMASK, &meanwhile, NULL);
  other = later(50, send_one);
  DO(ppoll(&one, 1, &long_time, NULL));
  pthread_join(other, NULL);
  show();
}
