// A failed exec says why, and the program goes on.
#include "../../lab.h"

static int start(const char *path) {
  char *words[] = {"x", NULL};
  return execve(path, words, NULL);
}
static void make(const char *name, const char *text, mode_t mode) {
  const int fd = open(name, O_WRONLY | O_CREAT, 0700);
  if (write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) || close(fd)) abort();
}

BEHAVIOUR {
  char longer[5000];
  memset(longer, 'a', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  make("garbage", "no program\n", 0755);
  make("empty", "", 0755);
  make("closed", "#!/bin/sh\n", 0644);
  make("lost", "#!/nowhere/sh\n", 0755);
  make("blank", "#!\n", 0755);
  if (symlink("loop", "loop") || mkdir("dir", 0755)) abort();
  DO(start("nowhere"));
  DO(start(""));
  DO(start("garbage"));
  DO(start("empty"));
  DO(start("closed"));
  DO(start("lost"));
  DO(start("blank"));
  DO(start("loop"));
  DO(start("dir"));
  DO(start("garbage/below"));
  DO(start(longer));
  DO(start("/dev/null"));
  DO(start(NULL));
  DO(start((char *)8));
  SAY("still here");
}
