// What a file begins with, whose name tells that it is about to be read (a library, a script): wherever the program is in it, and whoever changes it.
#include "../../lab.h"

static char data[5000], got[8192];
static volatile sig_atomic_t told;
static void *volatile nowhere = (void *)8;
static int go[2], done[2];
static void handler(int signal UNUSED) { told = 1; }

static long position(int fd) { return (long)lseek(fd, 0, SEEK_CUR); }
static bool is_data(ssize_t n, size_t from) { return n >= 0 && !memcmp(got, data + from, (size_t)n); }

// Changes the script: on a word, or by itself, a moment after it has been told, and says so by a signal alone.
static void change(void) {
  close(go[1]);
  for (char word; read(go[0], &word, 1) == 1;) {
    const int fd = open("script.py", O_WRONLY);
    if (word != 'p') usleep(word == 's' ? 300 : 1500);
    if (pwrite(fd, word == 's' ? "signal" : "piped.", 6, 0) != 6) abort();
    close(fd);
    if (word == 's') kill(getppid(), SIGUSR1);
    else if (write(done[1], "", 1) != 1) abort();
  }
  _exit(0);
}

static void make(const char *name, size_t size) {
  const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (write(fd, data, size) != (ssize_t)size) abort();
  close(fd);
}

BEHAVIOUR {
  for (size_t i = 0; i < sizeof data; ++i) data[i] = (char)(i / 3 + i * 7);
  make("script.py", 3000);
  make("library.so.1", 5000);
  struct stat s;
  int fd, other;
  ssize_t n, m;

  AT({ fd = open("script.py", O_RDONLY | O_CLOEXEC); n = read(fd, got, sizeof got); HOLDS(is_data(n, 0)); m = read(fd, got, sizeof got); });
  SAY("all of it: %zd, then %zd, at %ld", n, m, position(fd));
  DO(close(fd));
  AT({ fd = open("script.py", O_RDONLY); n = read(fd, got, 100); HOLDS(is_data(n, 0)); m = position(fd); });
  SAY("a part: %zd, at %zd", n, m);
  AT({ lseek(fd, 10, SEEK_SET); n = read(fd, got, 5); HOLDS(is_data(n, 10)); m = pread(fd, got, 7, 2990); HOLDS(is_data(m, 2990)); });
  SAY("another: %zd, %zd, at %ld", n, m, position(fd));
  DO(close(fd));
  AT({ fd = open("library.so.1", O_RDONLY | O_CLOEXEC); n = read(fd, got, 832); HOLDS(is_data(n, 0)); fstat(fd, &s); m = pread(fd, got, 64, 5); HOLDS(is_data(m, 5)); });
  SAY("a library: %zd, %lld, %zd", n, (long long)s.st_size, m);
  AT({ n = read(fd, got, 4096); HOLDS(is_data(n, 832)); });
  SAY("and on: %zd, at %ld", n, position(fd));
  DO(close(fd));
  AT({ fd = open("library.so.1", O_RDONLY); n = read(fd, got, 100); other = dup(fd); m = read(other, got, 50); HOLDS(is_data(m, 100)); });
  SAY("by two: %zd, at %ld and %ld", n + m, position(fd), position(other));
  close(other);
  DO(close(fd));
  AT({ fd = open("library.so.1", O_RDONLY); n = read(fd, got, 7); const pid_t child = fork(); if (!child) _exit(read(fd, got, 9) == 9 && is_data(9, 7) ? 0 : 1); m = ended(child); });
  SAY("with a child: %zd, %zd, at %ld", n, m, position(fd));
  AT({ const char *map = mmap(NULL, 5000, PROT_READ, MAP_PRIVATE, fd, 0); close(fd); n = memcmp(map, data, 5000); m = read(fd, got, 1); munmap((void *)map, 5000); });
  SAY("mapped and closed: %zd, %zd", n, m);
  AT({ fd = open("library.so.1", O_RDONLY); n = read(fd, got, 20); other = open("script.py", O_RDONLY); m = read(other, got, 30); HOLDS(is_data(m, 0)); });
  SAY("one behind the other: %zd at %ld, %zd at %ld", n, position(fd), m, position(other));
  AT({ dup2(other, fd); n = read(fd, got, 10); HOLDS(is_data(n, 30)); close(fd); close(other); });
  SAY("in its place: %zd", n);
  AT({ fd = open("script.py", O_RDONLY); n = read(fd, got, 100); close_range((unsigned)fd, (unsigned)fd, 0); other = open("new", O_RDWR | O_CREAT, 0600); m = write(other, got, 3); });
  SAY("closed by the way: %zd, %zd, %s, at %ld", n, m, other == fd ? "the same" : "another", position(other));
  close(other);
  AT({ fd = open(".", O_RDONLY); n = read(fd, got, 0); m = errno; });
  SAY("nothing of a directory: %zd %s", n, lab_error((int)m));
  close(fd);
  AT({ fd = open("script.py", O_RDONLY); m = read(fd, nowhere, 10); n = read(fd, got, 10); HOLDS(is_data(n, 0)); });
  SAY("to nowhere: %zd, then %zd at %ld", m, n, position(fd));
  close(fd);
  AT({ fd = open("script.py", O_RDONLY | O_DIRECTORY); n = errno; });
  SAY("as a directory: %d %s", fd, lab_error((int)n));

  signal(SIGUSR1, handler);
  if (pipe(go) || pipe(done)) abort();
  const pid_t child = fork();
  if (!child) change();
  close(go[0]);
  char word;
  AT({ fd = open("script.py", O_RDONLY); n = write(go[1], "p", 1); m = read(done[0], &word, 1); n = read(fd, got, 6); });
  SAY("changed by word of it: %.6s", got);
  close(fd);
  make("script.py", 3000);
  AT({ n = write(go[1], "l", 1); fd = open("script.py", O_RDONLY); m = read(done[0], &word, 1); n = read(fd, got, 6); });
  SAY("changed a moment later: %.6s", got);
  close(fd);
  make("script.py", 3000);
  AT({ n = write(go[1], "s", 1); fd = open("script.py", O_RDONLY); while (!told) continue; n = read(fd, got, 6); });
  SAY("changed by a signal: %.6s", got);
  close(fd);
  close(go[1]);
  SAY("%d", ended(child));
}
