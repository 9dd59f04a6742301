// A thread has the stack it asked for, with a guard below it: running into that is a SIGSEGV.
#include "../../lab.h"
#include <sys/resource.h>

static void *show(void *none) {
  pthread_attr_t attributes;
  void *low;
  size_t size, guard;
  char here;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_getguardsize(&attributes, &guard);
  SAY("size %zu guard %zu inside %d", size, guard, &here > (char *)low && &here < (char *)low + size);
  return none;
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"
__attribute__((noinline)) static int deep(int n) {
  volatile char room[2000];
  room[n % 2000] = (char)n;
  return deep(n + 1) + room[(n + 1) % 2000];
}
static void *overflow(void *none) { return (void *)(long)deep((int)(long)none); }

BEHAVIOUR {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  const size_t sizes[] = {65536, 1 << 20}, guards[] = {0, 4096, 65536};
  pthread_t thread;
  for (int i = 0; i < 6; ++i) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    GIVES(pthread_attr_setstacksize(&attributes, sizes[i % 2]));
    pthread_attr_setguardsize(&attributes, guards[i / 2]);
    lab_point("create");
    pthread_create(&thread, &attributes, show, NULL);
    pthread_join(thread, NULL);
  }
  for (int i = 0; i < 2; ++i) {
    const pid_t child = FORK();
    if (child == 0) {
      pthread_create(&thread, NULL, overflow, NULL);
      pthread_join(thread, NULL);
      _exit(1);
    }
    SAY("child %d", ended(child));
  }

}
