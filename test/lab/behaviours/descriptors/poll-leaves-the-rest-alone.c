// While a thread polls, another may change what it asks for next time: poll tells what has come, and nothing else.
#include "../../lab.h"
#include <poll.h>

static struct pollfd polled[2];
static int wakes[2], full[2];
static atomic_int about;

static void *change(void *unused) {
  while (!about) sleep_ms(1);
  sleep_ms(60);
  polled[1].events |= POLLOUT;
  if (write(wakes[1], "x", 1) != 1) SAY("no room");
  return unused;
}

BEHAVIOUR {
  char byte;
  DO(pipe(wakes));
  DO(pipe(full));
  polled[0] = (struct pollfd){wakes[0], POLLIN, 0};
  polled[1] = (struct pollfd){full[1], 0, 0};
  pthread_t thread;
  pthread_create(&thread, NULL, change, NULL);
  about = 1;
  // One that is asked anew after it was let go may see the other as well.
  TRY(poll(polled, 2, -1));
  pthread_join(thread, NULL);
  SAY("%x %x, %x", polled[0].events, polled[0].revents, polled[1].events);
  DO(read(wakes[0], &byte, 1));
  DO(poll(polled, 2, 2000));
  SAY("%x %x", polled[0].revents, polled[1].revents);
}
