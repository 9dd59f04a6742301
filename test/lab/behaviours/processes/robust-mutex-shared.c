// A robust mutex in memory that processes share: the process that holds it ends, by exit, by a signal, or by running a program, and the next is told.
// home: fork, clone, mmap
// refused: it shares memory with another process
#include "../../lab.h"

struct shared { pthread_mutex_t mutex; atomic_int has_it; };

BEHAVIOUR {
  for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; ++protocol) {
    struct shared *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    GIVES(pthread_mutex_init(&shared->mutex, &attributes));
    for (int how = 0; how < 4; ++how) {
      shared->has_it = 0;
      const pid_t child = FORK();
      if (child == 0) {
        if (pthread_mutex_lock(&shared->mutex)) _exit(1);
        shared->has_it = 1;
        sleep_ms(30);
        if (how == 1) kill(getpid(), SIGKILL);
        if (how == 2) execl("/bin/sh", "sh", "-c", "exit 6", NULL);
        if (how == 3) pthread_exit(NULL);
        _exit(5);
      }
      while (!shared->has_it) sleep_ms(1);
      GIVES(pthread_mutex_lock(&shared->mutex));
      GIVES(pthread_mutex_consistent(&shared->mutex));
      SAY("child %d", ended(child));
      GIVES(pthread_mutex_unlock(&shared->mutex));
    }
    DO(munmap(shared, 4096));
  }
}
