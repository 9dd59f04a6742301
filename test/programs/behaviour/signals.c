// Handlers with their siginfo, masks, queues, EINTR and restart, waits, alternate stacks, jumps out of handlers, faults, stops.
#include "check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <ucontext.h>

static volatile sig_atomic_t usr1, rt, order[4], faults, on_other_stack;
static volatile siginfo_t *seen;
static siginfo_t last;
static sigjmp_buf jump;
static char other_stack[65536];

static void on_usr1(int s, siginfo_t *info, void *context) {
  (void)s, (void)context;
  last = *info;
  seen = &last;
  ++usr1;
  const char *here = (const char *)&context;
  on_other_stack = here >= other_stack && here < other_stack + sizeof other_stack;
}
static void on_rt(int s, siginfo_t *info, void *context) {
  (void)s, (void)context;
  if (rt < 4) order[rt] = info->si_value.sival_int;
  ++rt;
}
// Two signals at once, each with its own count: what is sent in order comes in order, none lost, none twice.
static volatile int streams[2];
static void on_stream(int s, siginfo_t *info, void *context) {
  (void)context;
  const int which = s - SIGRTMIN - 4;
  CHECK(info->si_value.sival_int == streams[which]);
  ++streams[which];
}
static void on_alarm(int s) { (void)s; }
static void on_fault(int s, siginfo_t *info, void *context) {
  (void)context;
  ++faults;
  last = *info;
  siglongjmp(jump, s);
}

static void handle(int s, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  sigemptyset(&action.sa_mask);
  CHECK(sigaction(s, &action, NULL) == 0);
}

static void sent_signals(void) {
  handle(SIGUSR1, on_usr1, 0);
  const int before = usr1;
  CHECK(kill(getpid(), SIGUSR1) == 0);
  CHECK(usr1 == before + 1);  // delivered before kill returns
  CHECK(last.si_code == SI_USER && last.si_pid == getpid() && last.si_uid == getuid());
  CHECK(raise(SIGUSR1) == 0 && usr1 == before + 2 && last.si_code == SI_TKILL);
  const pid_t child = fork();
  if (child == 0) {
    kill(getppid(), SIGUSR1);
    _exit(0);
  }
  int status;
  while (waitpid(child, &status, 0) < 0) CHECK(errno == EINTR);
  CHECK(usr1 == before + 3 && last.si_pid == child);
}

static void masks_and_queues(void) {
  sigset_t set, old, pending;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 3);
  handle(SIGRTMIN + 3, on_rt, 0);
  CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
  const int before = usr1;
  rt = 0;
  for (int i = 0; i < 3; ++i) CHECK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 10 + i}) == 0);
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR1);
  spin(200000);
  CHECK(usr1 == before && rt == 0);
  CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, SIGRTMIN + 3) == 1);
  // One of them by a descriptor, one by waiting; the rest when they are unblocked, in order, the ordinary one once.
  siginfo_t info;
  CHECK(sigtimedwait(&set, &info, &(struct timespec){5, 0}) == SIGUSR1 && info.si_pid == getpid());
  const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  struct signalfd_siginfo by_fd;
  CHECK(read(fd, &by_fd, sizeof by_fd) == sizeof by_fd && by_fd.ssi_signo == (unsigned)SIGRTMIN + 3 && by_fd.ssi_int == 10);
  close(fd);
  CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
  CHECK(usr1 == before && rt == 2 && order[0] == 11 && order[1] == 12);
  CHECK(sigtimedwait(&set, &info, &(struct timespec){0, 1000000}) == -1 && errno == EAGAIN);
}

static void interrupted_calls(void) {
  int ends[2];
  char byte;
  CHECK(pipe(ends) == 0);
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  const double began = now();
  ualarm(30000, 0);
  CHECK(read(ends[0], &byte, 1) == -1 && errno == EINTR);
  CHECK(now() - began >= 0.03 && now() - began < 3);
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  const pid_t child = fork();
  if (child == 0) {
    usleep(80000);
    _exit(write(ends[1], "x", 1) != 1);
  }
  ualarm(30000, 0);
  CHECK(read(ends[0], &byte, 1) == 1 && byte == 'x');
  // A sleep is never restarted, and says what is left.
  ualarm(30000, 0);
  struct timespec left = {0, 0};
  CHECK(nanosleep(&(struct timespec){5, 0}, &left) == -1 && errno == EINTR);
  CHECK(left.tv_sec == 4 || (left.tv_sec < 4 && left.tv_sec >= 1));
  while (waitpid(child, NULL, 0) < 0) CHECK(errno == EINTR);
  close(ends[0]);
  close(ends[1]);
}

static void suspend(void) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  const int before = usr1;
  const pid_t child = fork();
  if (child == 0) {
    usleep(20000);
    kill(getppid(), SIGUSR1);
    _exit(0);
  }
  CHECK(sigsuspend(&old) == -1 && errno == EINTR && usr1 == before + 1);
  sigset_t after;
  sigprocmask(SIG_SETMASK, NULL, &after);
  CHECK(sigismember(&after, SIGUSR1) == 1);
  sigprocmask(SIG_SETMASK, &old, NULL);
  waitpid(child, NULL, 0);
}

static void two_streams(void) {
  enum { kEach = 100 };
  sigset_t other;
  sigemptyset(&other);
  sigaddset(&other, SIGUSR2);
  streams[0] = streams[1] = 0;
  handle(SIGRTMIN + 4, on_stream, SA_RESTART);
  handle(SIGRTMIN + 5, on_stream, SA_RESTART);
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < kEach; ++i)
      for (int which = 0; which < 2; ++which) sigqueue(getppid(), SIGRTMIN + 4 + which, (union sigval){.sival_int = i});
    _exit(0);
  }
  // Masks that concern neither, and actions set anew, while they come.
  for (int turn = 0; waitpid(child, NULL, WNOHANG) == 0; ++turn) {
    sigprocmask(turn % 2 ? SIG_UNBLOCK : SIG_BLOCK, &other, NULL);
    handle(SIGRTMIN + 4 + turn % 2, on_stream, SA_RESTART);
  }
  sigprocmask(SIG_UNBLOCK, &other, NULL);
  CHECK(streams[0] == kEach && streams[1] == kEach);
}

static void alternate_stack(void) {
  const stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
  stack_t before, during;
  CHECK(sigaltstack(&stack, &before) == 0);
  handle(SIGUSR1, on_usr1, SA_ONSTACK);
  raise(SIGUSR1);
  CHECK(on_other_stack == 1);
  CHECK(sigaltstack(NULL, &during) == 0 && during.ss_sp == other_stack && during.ss_flags == 0);
  before.ss_flags = SS_DISABLE;
  sigaltstack(&before, NULL);
  handle(SIGUSR1, on_usr1, 0);
}

static void faults_are_the_programs(void) {
  handle(SIGSEGV, on_fault, 0);
  handle(SIGFPE, on_fault, 0);
  handle(SIGTRAP, on_fault, 0);
  char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int before = faults;
  if (sigsetjmp(jump, 1) == 0) *(volatile char *)page = 1;
  CHECK(faults == before + 1 && last.si_code == SEGV_ACCERR && last.si_addr == page);
  munmap(page, 4096);
  if (sigsetjmp(jump, 1) == 0) *(volatile char *)page = 1;
  CHECK(faults == before + 2 && last.si_code == SEGV_MAPERR && last.si_addr == page);
  volatile int zero = 0;
  if (sigsetjmp(jump, 1) == 0) zero = 7 / zero;  // 1 / x is no division for the compiler
  CHECK(faults == before + 3 && last.si_signo == SIGFPE && last.si_code == FPE_INTDIV);
  if (sigsetjmp(jump, 1) == 0) __asm__ volatile("int3");
  CHECK(faults == before + 4 && last.si_signo == SIGTRAP);
}

// Children die and stop in every way; the parent sees each as it was.
static void deaths_and_stops(void) {
  int status;
  static const int deadly[] = {SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGUSR2, SIGSYS};
  for (unsigned i = 0; i < sizeof deadly / sizeof *deadly; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      signal(deadly[i], SIG_DFL);
      if (deadly[i] == SIGSEGV) *(volatile char *)8 = 1;
      if (deadly[i] == SIGABRT) abort();
      kill(getpid(), deadly[i]);
      _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == deadly[i]);
  }
  const pid_t child = fork();
  if (child == 0) {
    raise(SIGSTOP);
    usleep(100000);  // its going on is to be seen before its end
    _exit(23);
  }
  CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  CHECK(kill(child, SIGCONT) == 0);
  CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 23);
  signal(SIGUSR2, SIG_IGN);
  CHECK(raise(SIGUSR2) == 0);
  siginfo_t info;
  const pid_t last_child = fork();
  if (last_child == 0) _exit(9);
  CHECK(waitid(P_PID, (id_t)last_child, &info, WEXITED) == 0 && info.si_code == CLD_EXITED && info.si_status == 9 && info.si_pid == last_child);
}

int main(int argc, char **argv) {
  const double end = now() + (argc > 1 ? atof(argv[1]) : 0);
  do {
    sent_signals();
    masks_and_queues();
    interrupted_calls();
    suspend();
    two_streams();
    alternate_stack();
    faults_are_the_programs();
    deaths_and_stops();
  } while (now() < end);
  return finish();
}
