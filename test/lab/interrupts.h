// For behaviours about calls that a handler interrupts: once without SA_RESTART, once with it and with somebody who ends the call afterwards.
#pragma once
#include "lab.h"

UNUSED static volatile sig_atomic_t caught;
UNUSED static void count_signal(int signal) { (void)signal, ++caught; }
UNUSED static void (*lab_finish)(void);

UNUSED static void handle(int signal, int flags) {
  struct sigaction action = {.sa_handler = count_signal, .sa_flags = flags};
  sigaction(signal, &action, NULL);
}

UNUSED static void send_signal(void) { kill(getpid(), SIGUSR1); }
UNUSED static void send_and_finish(void) {
  kill(getpid(), SIGUSR1);
  while (!caught) sleep_ms(1);
  sleep_ms(40);
  lab_finish();
}

#define INTERRUPTED(call)                                                                              \
  do {                                                                                                 \
    caught = 0;                                                                                        \
    handle(SIGUSR1, 0);                                                                                \
    pthread_t lab_sender = later(60, send_signal);                                                     \
    DO(call);                                                                                          \
    pthread_join(lab_sender, NULL);                                                                    \
    SAY("caught %d", caught);                                                                          \
  } while (0)

// `finish` ends the call, should it have been restarted; else it is done all the same.
#define RESTARTED(finish, call)                                                                        \
  do {                                                                                                 \
    caught = 0;                                                                                        \
    handle(SIGUSR1, SA_RESTART);                                                                       \
    lab_finish = finish;                                                                               \
    pthread_t lab_sender = later(60, send_and_finish);                                                 \
    DO(call);                                                                                          \
    pthread_join(lab_sender, NULL);                                                                    \
    SAY("caught %d", caught);                                                                          \
  } while (0)
