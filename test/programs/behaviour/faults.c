// Four threads that fault all the time, as a virtual machine does at its safepoints: the handler steps over each access. One that stands in a fault
// when it is stopped to leave takes its handler exactly once.
#define _GNU_SOURCE
#include "check.h"

#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { threads = 4 };

static char *page;
static long handled;
static volatile int over;

static void step_over(int s, siginfo_t *info, void *context) {
  ucontext_t *at = context;
  if (s == SIGSEGV && info->si_addr == page) __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
  at->uc_mcontext.gregs[REG_RIP] += 2;  // the length of the instruction below
}

static void *work(void *argument) {
  long *faults = argument;
  for (; !over; ++*faults) __asm__ volatile("movb (%0), %%al" ::"r"(page) : "rax", "memory");
  return NULL;
}

int main(int argc, char **argv) {
  const double end = now() + (argc > 1 ? atof(argv[1]) : 0);
  struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO};
  sigfillset(&action.sa_mask);
  CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
  page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_t all[threads];
  long faults[threads] = {0}, sum = 0;
  for (int i = 0; i < threads; ++i) CHECK(pthread_create(&all[i], NULL, work, &faults[i]) == 0);
  do usleep(10000);
  while (now() < end);
  over = 1;
  for (int i = 0; i < threads; ++i) CHECK(pthread_join(all[i], NULL) == 0);
  for (int i = 0; i < threads; ++i) sum += faults[i];
  CHECK(sum == handled);
  return finish();
}
