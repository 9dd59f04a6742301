// Eight threads over a mutex, condition variables, a barrier, a rwlock, thread-local storage and short-lived threads.
//   threads ROUNDS   prints a sum;  threads 0 [PAUSE]   goes on until SIGTERM, sleeping PAUSE seconds after each round, and tells whether every round gave
//   the same
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { workers = 8, slots = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static unsigned long queue[slots], head, tail, table[1024];
static atomic_ulong sum;
static _Thread_local unsigned long mine;
static volatile sig_atomic_t stop;
static int finished;

static void on_term(int signal) {
  (void)signal;
  stop = 1;
}

static unsigned long mix(unsigned long value) {
  for (int i = 0; i < 3000; ++i) value = value * 6364136223846793005UL + 1442695040888963407UL;
  return value >> 16;
}

static void put(unsigned long value) {
  pthread_mutex_lock(&lock);
  while (head - tail == slots) pthread_cond_wait(&emptied, &lock);
  queue[head++ % slots] = value;
  pthread_cond_signal(&filled);
  pthread_mutex_unlock(&lock);
}

static unsigned long take(void) {
  pthread_mutex_lock(&lock);
  while (head == tail) pthread_cond_wait(&filled, &lock);
  const unsigned long value = queue[tail++ % slots];
  pthread_cond_signal(&emptied);
  pthread_mutex_unlock(&lock);
  return value;
}

static void* brief(void* argument) { return (void*)mix((unsigned long)argument); }

// Half of the threads produce, half consume; then all meet at the barrier, and a round is over.
static void* work(void* argument) {
  const unsigned long self = (unsigned long)argument;
  for (;;) {
    pthread_barrier_wait(&barrier);
    if (finished) return NULL;
    for (unsigned long i = 0; i < 200; ++i) {
      if (self % 2 == 0) {
        put(mix(self * 1000 + i));
      } else {
        const unsigned long value = take();
        pthread_rwlock_wrlock(&table_lock);
        table[value % 1024] += 1;
        pthread_rwlock_unlock(&table_lock);
        mine = mix(value);
        atomic_fetch_add(&sum, mine);
      }
    }
    pthread_barrier_wait(&barrier);
  }
}

static unsigned long round_of(void) {
  atomic_store(&sum, 0);
  for (int i = 0; i < 1024; ++i) table[i] = 0;
  pthread_barrier_wait(&barrier);
  pthread_t thread;
  void* result = NULL;
  if (pthread_create(&thread, NULL, brief, (void*)77UL) != 0) abort();
  pthread_join(thread, &result);
  pthread_barrier_wait(&barrier);
  unsigned long total = atomic_load(&sum) + (unsigned long)result;
  pthread_rwlock_rdlock(&table_lock);
  for (unsigned long i = 0; i < 1024; ++i) total += table[i] * i;
  pthread_rwlock_unlock(&table_lock);
  return total;
}

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
  const useconds_t pause = argc > 2 ? (useconds_t)(strtod(argv[2], NULL) * 1e6) : 0;
  struct sigaction action = {.sa_handler = on_term};
  sigaction(SIGTERM, &action, NULL);
  pthread_barrier_init(&barrier, NULL, workers + 1);
  pthread_t threads[workers];
  for (unsigned long i = 0; i < workers; ++i) {
    if (pthread_create(&threads[i], NULL, work, (void*)i) != 0) return 1;
  }
  const unsigned long first = round_of();
  puts("ready");
  fflush(stdout);
  int same = 1;
  for (long round = 1; rounds == 0 ? !stop : round < rounds; ++round) {
    same &= round_of() == first;
    if (pause) usleep(pause);
  }
  finished = 1;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < workers; ++i) pthread_join(threads[i], NULL);
  printf("%s, each %lu\n", same ? "all rounds are equal" : "A ROUND DIFFERS", first);
  return same ? 0 : 1;
}
