// What is at the names of a directory, asked for one after another: whoever changes it meanwhile, and however the program knows.
#include "../../lab.h"
#include <dirent.h>

enum { kNames = 60 };
static char names[kNames + 8][64];
static int count;
static volatile sig_atomic_t told;
static void *volatile nowhere = (void *)8;
static int go[2], done[2];
static void handler(int signal UNUSED) { told = 1; }

static void make(const char *name, off_t size) {
  const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || ftruncate(fd, size)) abort();
  close(fd);
}

// Gives the file another size: on a word; or a moment later, and says so by a signal alone, or not at all.
static void change(void) {
  close(go[1]);
  for (struct { char how; char name[64]; } word; read(go[0], &word, sizeof word) == sizeof word;) {
    if (word.how != 'p') usleep(word.how == 's' ? 300 : 20000);
    if (truncate(word.name, word.how == 'p' ? 10001 : word.how == 's' ? 10002 : 10003)) abort();
    if (word.how == 's') kill(getppid(), SIGUSR1);
    if (word.how == 'p' && write(done[1], "", 1) != 1) abort();
  }
  _exit(0);
}

static void tell(char how, const char *name) {
  struct { char how; char name[64]; } word = {.how = how};
  snprintf(word.name, sizeof word.name, "directory/%s", name);
  if (write(go[1], &word, sizeof word) != sizeof word) abort();
}

static void list(const char *of) {
  DIR *directory = opendir(of);
  count = 0;
  for (struct dirent *one; count < kNames + 8 && (one = readdir(directory));) snprintf(names[count++], sizeof names[0], "%.60s", one->d_name);
  closedir(directory);
}

static long long size_at(const char *path) {
  struct stat s;
  return lstat(path, &s) ? -errno : S_ISREG(s.st_mode) ? (long long)s.st_size : -1000 - (long long)(s.st_mode >> 12);
}

// All of them, without a move in between; a sum, since the order is the file system's.
static long long sum_of(const char *before, int from, int to) {
  long long sum = 0;
  char path[128];
  for (int i = from; i < to; ++i) {
    snprintf(path, sizeof path, "%s%s", before, names[i]);
    if (names[i][0] != '.') sum += size_at(path);
  }
  return sum;
}

static char path[128];
static const char *path_of(int i) {
  snprintf(path, sizeof path, "directory/%s", names[i]);
  return path;
}

BEHAVIOUR {
  struct stat s, t;
  struct statx x;
  long long sum;
  HOLDS(mkdir("directory", 0755) == 0 && mkdir("directory/inner", 0700) == 0 && symlink("name-3", "directory/link") == 0);
  for (int i = 0; i < kNames; ++i) {
    snprintf(path, sizeof path, "directory/name-%d", i);
    make(path, 100 * i);
  }

  AT({ list("directory"); sum = sum_of("directory/", 0, count); });
  SAY("%d names, %lld", count, sum);
  AT({ list("directory"); sum = sum_of("./directory/../directory/", 0, count); });
  SAY("otherwise, %lld", sum);
  HOLDS(chdir("directory") == 0);
  AT({ list("."); sum = sum_of("", 0, count); });
  SAY("from within, %lld", sum);
  HOLDS(chdir("..") == 0);

  bool same = true;
  AT({
    const int fd = open("directory", O_RDONLY | O_DIRECTORY);
    list("directory");
    for (int i = 0; i < count; ++i) {
      if (fstatat(fd, names[i], &s, 0) || statx(fd, names[i], 0, STATX_BASIC_STATS, &x)) same = false;
      if (s.st_ino != x.stx_ino || s.st_mode != x.stx_mode || s.st_nlink != x.stx_nlink || (uint64_t)s.st_size != x.stx_size || s.st_mtime != x.stx_mtime.tv_sec) same = false;
    }
    for (int i = 0; i < count; ++i)
      if (statx(fd, names[i], AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x) || fstatat(fd, names[i], &t, AT_SYMLINK_NOFOLLOW) || x.stx_ino != t.st_ino) same = false;
    close(fd);
  });
  SAY("by two calls: %s", same ? "the same" : "not the same");

  // By itself.
  for (int what = 0; what < 4; ++what) {
    AT({ list("directory"); sum = sum_of("directory/", 0, count / 2); });
    int victim = count / 2;
    while (strncmp(names[victim], "name-", 5)) ++victim;
    if (what == 0) AT({ sum = truncate(path_of(victim), 5001); sum = size_at(path_of(victim)); });
    if (what == 1) AT({ sum = chmod(path_of(victim), 0400); lstat(path_of(victim), &s); sum = s.st_mode; chmod(path_of(victim), 0644); });
    if (what == 2) AT({ sum = rename(path_of(victim), "away"); sum = size_at(path_of(victim)); rename("away", path_of(victim)); });
    if (what == 3) AT({ const int fd = open(path_of(victim), O_WRONLY | O_APPEND); sum = write(fd, "0123456789", 10); close(fd); stat(path_of(victim), &s); sum = s.st_size % 100 == 10 || s.st_size == 5011; });
    SAY("changed %d: %lld", what, sum);
  }
  AT({ list("directory"); sum = sum_of("directory/", 0, 20); errno = 0; sum = lstat(path_of(21), nowhere); });
  SAY("to no place: %lld %d", sum, errno);
  AT({ list("directory"); sum = sum_of("directory/", 0, 20); sum = lstat("directory/no-such-name", &s) ? errno : 0; });
  SAY("no such name: %lld", sum);

  // By another.
  HOLDS(pipe(go) == 0 && pipe(done) == 0);
  HOLDS(signal(SIGUSR1, handler) != SIG_ERR);
  const pid_t child = FORK();
  if (!child) change();
  close(go[0]);
  for (int round = 0; round < 3; ++round)
    for (const char *how = "pst"; *how; ++how) {
      make("directory/name-7", 700);
      list("directory");
      int victim = 0;
      while (strcmp(names[victim], "name-7")) ++victim;
      const int from = victim >= 10 ? victim - 10 : 0;
      told = 0;
      char word;
      AT({
        // It is among those that home looks at together; what comes before it is asked for, and not it.
        if (*how != 'p') tell(*how, "name-7");
        sum = sum_of("directory/", from, victim);
        if (*how == 'p') tell('p', "name-7"), sum = read(done[0], &word, 1);
        if (*how == 's') while (!told) {}
        if (*how == 't') {
          struct timespec begin, now;
          clock_gettime(CLOCK_MONOTONIC, &begin);
          do clock_gettime(CLOCK_MONOTONIC, &now);
          while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 500);
        }
        sum = size_at(path_of(victim));
      });
      SAY("%c: %lld", *how, sum);
    }
  close(go[1]);
  SAY("child %d", ended(child));
}
