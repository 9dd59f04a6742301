// /proc/self/task has an entry for each thread, under the number that gettid tells.
// home: open, openat
// refused: it has a view of itself open
// refused: order it again
#include "../../lab.h"
#include <dirent.h>
#include <semaphore.h>

static sem_t begun, finish;
static pid_t number;
static void *thread(void *unused) {
  number = gettid();
  sem_post(&begun);
  while (sem_wait(&finish)) continue;
  return unused;
}
static int entries(void) {
  DIR *dir = opendir("/proc/self/task");
  int count = 0, known = 0;
  for (struct dirent *entry; (entry = readdir(dir));) ++count, known += atoi(entry->d_name) == number || atoi(entry->d_name) == getpid();
  closedir(dir);
  return (count - 2) * 10 + known;
}

BEHAVIOUR {
  pthread_t id;
  char name[60], text[64] = "";
  sem_init(&begun, 0, 0), sem_init(&finish, 0, 0);
  number = getpid();
  DO(entries());
  AT(pthread_create(&id, NULL, thread, NULL));
  while (sem_wait(&begun)) continue;
  DO(entries());
  GIVES(pthread_setname_np(id, "second"));
  snprintf(name, sizeof name, "/proc/self/task/%d/comm", (int)number);
  const int fd = open(name, O_RDONLY);
  DO(read(fd, text, sizeof text));
  SAY("%s", text);
  close(fd);
  snprintf(name, sizeof name, "/proc/%d/maps", (int)number);
  const int maps = DO(open(name, O_RDONLY) >= 0);
  SAY("%d", maps);
  snprintf(name, sizeof name, "/proc/self/task/%d/stat", (int)number);
  FILE *f = NULL;
  AT(f = fopen(name, "r"));
  int told = 0;
  SAY("%d", fscanf(f, "%d (%63[^)])", &told, text) == 2 && told == number && !strcmp(text, "second"));
  fclose(f);
  sem_post(&finish);
  AT(pthread_join(id, NULL));
}
