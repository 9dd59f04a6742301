// A pipeline of processes passes everything on, the end comes through, and a reader that ends sends SIGPIPE up.
#include "../../lab.h"

static pid_t stage(int in, int out, int number) {
  const pid_t child = FORK();
  if (child) return child;
  char text[512];
  ssize_t n;
  dup2(in, 0), dup2(out, 9);
  for (int fd = 10; fd < 60; ++fd) close(fd);
  while ((n = read(0, text, sizeof text)) > 0) {
    if (number == 1) lab_point("in the middle");
    for (ssize_t i = 0; i < n; ++i) text[i] = (char)(text[i] + 1);
    for (ssize_t done = 0, m; done < n; done += m)
      if ((m = write(9, text + done, (size_t)(n - done))) < 0) abort();
  }
  _exit(number);
}

BEHAVIOUR {
  enum { stages = 3 };
  int pipes[stages + 1][2];
  for (int i = 0; i <= stages; ++i)
    for (int k = (pipe(pipes[i]), 0); k < 2; ++k) {
      const int high = fcntl(pipes[i][k], F_DUPFD, 20);
      close(pipes[i][k]);
      pipes[i][k] = high;
    }
  pid_t children[stages];
  for (int i = 0; i < stages; ++i) children[i] = stage(pipes[i][0], pipes[i + 1][1], i);
  for (int i = 0; i <= stages; ++i) {
    if (i) close(pipes[i][1]);
    if (i < stages) close(pipes[i][0]);
  }
  char text[2048], back[2048];
  memset(text, 'a', sizeof text);
  DO(write(pipes[0][1], text, sizeof text));
  DO(close(pipes[0][1]));
  size_t got = 0;
  for (ssize_t n; (n = read(pipes[stages][0], back + got, sizeof back - got)) > 0;) got += (size_t)n;
  SAY("%d bytes of %c", (int)got, back[2047]);
  for (int i = 0; i < stages; ++i) SAY("stage %d", ended(children[i]));
  SAY("sh: %d", WEXITSTATUS(system("yes | head -c 200000 | wc -c > count; test $(cat count) = 200000")));
}
