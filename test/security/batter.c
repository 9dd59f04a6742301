/* Everything a program may try that has the stub in its own memory. What becomes of it is its own affair; others must not notice. */
#include "attack.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define P(x) ((u64)(uintptr_t)(x))
enum { kLast = 490, kSlotSize = 1 << 20 };

/* Those that only wait, or end the one that calls: nothing to learn from them. */
static int dull(long nr) {
  static const int numbers[] = {SYS_pause, SYS_exit, SYS_exit_group, SYS_rt_sigsuspend, SYS_rt_sigreturn, SYS_vfork};
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if ((nr & 0x3fffffff) == numbers[i]) return 1;
  return 0;
}

static u64 hostile(unsigned kind, unsigned i) {
  static char page[4096];
  u64 code = P(stub), values[] = {0,           ~0ull,     P(page),        code,        code + kControl, code + kSlots, 0x7fffffffffff,
                                  0x8000000000, 1ull << 63, 0xffffffffff600000, 0x40000000, (u64)getpid(),   1,             (u64)rand()};
  return values[(kind * 5 + i * (kind + 1)) % (sizeof values / sizeof *values)];
}

static void call_number(long nr) {
  for (unsigned kind = 0; kind < 7; kind++) {
    u64 v[6];
    for (unsigned i = 0; i < 6; i++) v[i] = hostile(kind, i);
    alarm(1);
    outside(nr, v[0], v[1], v[2], v[3], v[4], v[5]);
    inside(nr, v[0], v[1], v[2], v[3], v[4], v[5]);
  }
}

static void jump(long offset) {
  alarm(1);
  u64 to = P(stub) + (u64)offset;
  asm volatile(
      "mov %0, %%rbx; mov %1, %%rdi; mov %1, %%rsi; mov $0x1000, %%edx; mov %1, %%r10; xor %%r8d, %%r8d; xor %%r9d, %%r9d; xor %%eax, %%eax; jmp *%%rbx" ::"r"(to),
      "r"(P(stub) + kSlots)
      : "memory");
}

/* A signal frame of nobody's making, where the kernel looks for one. */
static void forge(long seed) {
  static u64 frame[1024] __attribute__((aligned(64)));
  srand((unsigned)seed);
  for (unsigned i = 0; i < 1024; i++) frame[i] = seed % 3 ? (u64)rand() << (seed % 40) : P(stub) + (u64)rand() % kCode;
  alarm(1);
  asm volatile("mov %0, %%rsp; mov $15, %%eax; jmp *%1" ::"r"(frame + 8), "r"(seed % 2 ? (char *)memmem(stub, kCode, "\x0f\x05", 2) : (char *)outside) : "memory");
}

static void smash(long seed) {
  struct { char *at; size_t size; } parts[] = {{stub + kControl, 8192}, {stub + (1 << 20), 4096}, {stub + kSlots, 4096}, {stub + kSlots + 4096, 32768}, {stub + kSlots, kSlotSize - 65536}};
  srand((unsigned)seed);
  for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (!(seed >> i & 1)) continue;
    for (size_t b = 0; b < parts[i].size; b++) parts[i].at[b] = (char)(seed % 2 ? rand() : -1);
  }
  alarm(1);
  for (int i = 0; i < 5; i++) {
    getppid();
    fork();
  }
}

static void scramble_descriptors(long seed) {
  srand((unsigned)seed);
  alarm(1);
  for (int i = 0; i < 100; i++) {
    u64 fd = (u64)(rand() % 80), other = (u64)(rand() % 80);
    switch (rand() % 6) {
      case 0: inside(SYS_close, fd, 0, 0, 0, 0, 0); break;
      case 1: inside(SYS_dup, fd, 0, 0, 0, 0, 0); break;
      case 2: inside(SYS_fcntl, fd, F_DUPFD, other, 0, 0, 0); break;
      case 3: inside(SYS_shutdown, fd + 3, 2, 0, 0, 0, 0); break; /* a child that came home would end everybody's output */
      case 4: inside(SYS_fcntl, fd, F_SETFL, O_NONBLOCK | O_ASYNC, 0, 0, 0); break;
      case 5: inside(SYS_close_range, fd, other, 0, 0, 0, 0); break;
    }
  }
}

/* Garbage, and well-formed lies with descriptors, on whatever is open: channels, event channel, the keeper's socket. */
static void lie(long seed) {
  srand((unsigned)seed);
  alarm(1);
  for (int round = 0; round < 200; round++) {
    struct { uint32_t type; uint16_t kind, index; int32_t pid, owner; } message = {(uint32_t)rand() % 5, (uint16_t)(rand() % 4), (uint16_t)rand(), rand() % 70 - 2, rand() % 70};
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = {{CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    int fd = rand() % 40, given = rand() % 40;
    memcpy(CMSG_DATA(&control.header), &given, sizeof given);
    struct iovec part = {&message, rand() % 3 ? sizeof message : (size_t)(rand() % 16)};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
    if (rand() % 2) header.msg_control = 0, header.msg_controllen = 0;
    inside(SYS_sendmsg, (u64)fd, P(&header), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
    inside(SYS_tgkill, (u64)(rand() % 70), (u64)(rand() % 70), SIGKILL * (u64)(rand() % 2), 0, 0, 0);
    inside(SYS_openat, 0xfffffc18, (u64)(rand() % 4), 0, 0, 0, 0);
  }
}

static int many(void (*thing)(long), long from, long to, long step, int ms) {
  long killed = 0, none = 0, all = 0;
  for (long i = from; i < to; i += step, all++) {
    int status = in_child(thing, i, ms);
    killed += status > 0 && WIFSIGNALED(status);
    none += status < 0;
  }
  printf("ends: %ld of %ld killed, %ld not made\n", killed, all, none);
  return 0;
}

int batter(const char *what) {
  if (!strcmp(what, "numbers")) {
    long odd[] = {-1, -1000, 0x40000000, 0x40000000 | SYS_execve, 0x40000000 | 512, 0x7fffffff, 1L << 32 | SYS_mount, 1000};
    for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) in_child(call_number, odd[i], 500);
    long all = 0;
    for (long nr = 0; nr < kLast; nr++)
      if (!dull(nr)) in_child(call_number, nr, 300), all++;
    printf("ends: %ld numbers\n", all);
    return 0;
  }
  if (!stub) return 3;
  if (!strcmp(what, "jumps")) return many(jump, 0, 96 << 10, 487, 100);
  if (!strcmp(what, "frames")) return many(forge, 1, 100, 1, 100);
  if (!strcmp(what, "smashes")) return many(smash, 1, 64, 1, 200);
  if (!strcmp(what, "descriptors")) return many(scramble_descriptors, 1, 60, 1, 200);
  if (!strcmp(what, "lies")) return many(lie, 1, 40, 1, 400);
  if (!strcmp(what, "int80")) {
    long result = 20;
    asm volatile("int $0x80" : "+a"(result)::"r8", "r9", "r10", "r11", "memory");
    printf("ends: getpid by int 0x80 says %s\n", result == getpid() ? "the same" : "another");
    return 0;
  }
  return 2;
}
