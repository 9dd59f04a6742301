// A process whose first thread ends while the others go on: they compute, use files, start threads, send signals and fork children like itself.
//   first-thread ROUNDS [FILE]   the first thread ends at once, or as soon as FILE exists; prints a line each round and ends with status 57
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { helpers = 4, data_size = 400000 };

static pthread_t first;
static const char *go_on;
static long rounds;
static atomic_int caught;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned long asked, answered, answer;
static _Thread_local unsigned long mine = 7;

static void must(int good, const char *what) {
  if (good) return;
  printf("%s: %s\n", what, strerror(errno));
  fflush(stdout);
  _exit(1);
}

static unsigned long mix(unsigned long value, int times) {
  for (int i = 0; i < times; ++i) value = value * 6364136223846793005UL + 1442695040888963407UL;
  return value >> 16;
}

static void *brief(void *argument) {
  mine += (unsigned long)argument;
  return (void *)mix(mine, 1000000);
}

static unsigned long short_threads(unsigned long round) {
  pthread_t all[helpers];
  unsigned long sum = 0;
  for (unsigned long i = 0; i < helpers; ++i) must(pthread_create(&all[i], NULL, brief, (void *)(round * helpers + i)) == 0, "pthread_create");
  for (int i = 0; i < helpers; ++i) {
    void *result;
    must(pthread_join(all[i], &result) == 0, "pthread_join");
    sum += (unsigned long)result;
  }
  return sum;
}

// A thread that lives as long as the process.
static void *partner(void *argument) {
  (void)argument;
  pthread_mutex_lock(&lock);
  while (rounds > 0) {
    while (asked == answered) pthread_cond_wait(&changed, &lock);
    answer = mix(asked, 300000);
    answered = asked;
    pthread_cond_broadcast(&changed);
  }
  return NULL;
}

static unsigned long ask(unsigned long question) {
  pthread_mutex_lock(&lock);
  asked = question;
  pthread_cond_broadcast(&changed);
  while (answered != question) pthread_cond_wait(&changed, &lock);
  const unsigned long result = answer;
  pthread_mutex_unlock(&lock);
  return result;
}

static void make_data(void) {
  FILE *file = fopen("data", "w");
  must(file != NULL, "data");
  for (unsigned long i = 0; i < data_size / 8; ++i) {
    const unsigned long word = mix(i, 3);
    must(fwrite(&word, sizeof word, 1, file) == 1, "fwrite");
  }
  fclose(file);
}

// By a mapping, whose pages are fetched when touched, and by reading.
static unsigned long files(unsigned long round) {
  const int fd = open("data", O_RDONLY);
  must(fd >= 0, "open");
  const unsigned long *words = mmap(NULL, data_size, PROT_READ, MAP_PRIVATE, fd, 0);
  must(words != MAP_FAILED, "mmap");
  unsigned long sum = 0, word;
  for (unsigned long i = round % 512; i < data_size / 8; i += 512) {
    must(pread(fd, &word, sizeof word, (off_t)(i * 8)) == sizeof word && word == words[i], "the mapping and the file differ");
    sum += word;
  }
  munmap((void *)words, data_size);
  close(fd);
  FILE *log = fopen("log", "a");
  must(log != NULL, "log");
  fprintf(log, "round %lu: %lu\n", round, sum);
  fclose(log);
  return sum;
}

static void on_signal(int signal) {
  (void)signal;
  caught++;
}

static void signals(void) {
  const int before = caught;
  kill(getpid(), SIGUSR1);
  for (int i = 0; i < 5000 && caught == before; ++i) usleep(1000);
  must(caught == before + 1, "kill");
  pthread_kill(pthread_self(), SIGUSR2);
  must(caught == before + 2, "pthread_kill");
}

static void *outlive(void *argument) {
  const unsigned long round = (unsigned long)argument;
  const unsigned long sum = mix(round, 2000000);
  usleep(60000);
  if (round % 8 == 0) {
    execl("/bin/sh", "sh", "-c", "echo from a shell; exit 32", (char *)NULL);
    _exit(1);
  }
  FILE *log = fopen("children", "a");
  fprintf(log, "child of round %lu: %lu, %lu\n", round, sum, files(round) + short_threads(round));
  fclose(log);
  exit((int)(round % 50) + 1);
}

static int child(unsigned long round) {
  fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    pthread_t other;
    must(pthread_create(&other, NULL, outlive, (void *)round) == 0, "pthread_create in a child");
    if (round % 3 == 0) usleep((useconds_t)(round * 1000 % 50000));
    pthread_exit(NULL);
  }
  int status = -1;
  must(pid > 0, "fork");
  while (waitpid(pid, &status, 0) == -1) must(errno == EINTR, "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static char state_of_first(void) {
  char line[256] = "";
  FILE *file = fopen("/proc/self/stat", "r");
  must(file != NULL && fgets(line, sizeof line, file) != NULL, "/proc/self/stat");
  fclose(file);
  return strrchr(line, ')')[2];
}

static void *go(void *argument) {
  (void)argument;
  pthread_t other;
  must(pthread_create(&other, NULL, partner, NULL) == 0, "pthread_create");
  void *result = NULL;
  if (go_on == NULL) must(pthread_join(first, &result) == 0 && result == (void *)17, "pthread_join of the first thread");
  const pid_t self = getpid(), parent = getppid(), thread = gettid();
  for (unsigned long round = 1; round <= (unsigned long)rounds; ++round) {
    unsigned long sum = short_threads(round) + ask(round) + files(round);
    signals();
    const int status = round % 4 == 0 ? child(round) : 0;
    must(self == getpid() && parent == getppid() && thread == gettid() && self != thread, "numbers");
    usleep(20000);
    printf("round %lu: %lu, child %d\n", round, sum, status);
    fflush(stdout);
  }
  if (go_on != NULL) must(pthread_join(first, &result) == 0 && result == (void *)17, "pthread_join of the first thread");
  printf("first thread %c, %d signals\n", state_of_first(), (int)caught);
  exit(57);
}

int main(int argc, char **argv) {
  rounds = argc > 1 ? atol(argv[1]) : 10;
  go_on = argc > 2 ? argv[2] : NULL;
  first = pthread_self();
  signal(SIGUSR1, on_signal);
  signal(SIGUSR2, on_signal);
  make_data();
  pthread_t thread;
  must(pthread_create(&thread, NULL, go, NULL) == 0, "pthread_create");
  while (go_on != NULL && access(go_on, F_OK) != 0) usleep(10000);
  pthread_exit((void *)17);
}
