// The first bytes of a file, and what fstat says of it then: as it is at that moment, and later as it is later.
#include "../../lab.h"

static char data[100000], got[5000];
static void *volatile nowhere = (void *)8;

static void say(int fd, const char *when) {
  struct stat s, t;
  HOLDS(fstat(fd, &s) == 0);
  HOLDS(fstatat(fd, "", &t, AT_EMPTY_PATH) == 0);
  SAY("%s: %lld bytes, %o, %d links, %s", when, (long long)s.st_size, s.st_mode, (int)s.st_nlink, memcmp(&s, &t, sizeof s) ? "and then another" : "twice");
}

BEHAVIOUR {
  for (size_t i = 0; i < sizeof data; ++i) data[i] = (char)(i / 7);
  const int made = open("file", O_RDWR | O_CREAT, 0640);
  HOLDS(write(made, data, sizeof data) == sizeof data);
  for (int round = 0; round < 5; ++round) {
    const int fd = DO(open("file", O_RDONLY));
    HOLDS(read(fd, got, 832) == 832 && !memcmp(got, data, 832));
    if (round == 0) say(fd, "at once");
    if (round == 1) {
      DO(write(made, "more", 4));
      say(fd, "written to");
      DO(write(made, "more", 4));
      say(fd, "and again");
    }
    if (round == 2) {
      DO(fchmod(made, 0600));
      say(fd, "another mode");
      DO(link("file", "name"));
      say(fd, "another name");
    }
    if (round == 3) {
      const pid_t child = FORK();
      if (!child) _exit(ftruncate(made, 70000) || lseek(fd, 0, SEEK_CUR) != 832);
      SAY("child %d", ended(child));
      say(fd, "shorter");
    }
    if (round == 4) {
      DO(lseek(fd, 0, SEEK_CUR));
      DO(fcntl(fd, F_SETFL, O_ASYNC));
      HOLDS(read(fd, got, 100) == 100 && !memcmp(got, data + 832, 100));
      say(fd, "with O_ASYNC");
    }
    DO(lseek(fd, 0, SEEK_CUR));
    DO(close(fd));
    DO(read(fd, got, 10));
  }
  const int fd = DO(open("file", O_RDONLY));
  DO(fcntl(fd, F_SETFL, O_ASYNC));
  DO(read(fd, got, 10));
  DO(read(fd, nowhere, 10));
  DO(close(fd));
  for (int i = 0; i < 3; ++i) {
    const int end = open("file", O_RDONLY);
    if (i < 2) AT(lseek(end, -500, SEEK_END));
    else AT(lseek(end, 200000, SEEK_SET));
    SAY("at the end: %zd, %zd", read(end, got, i ? 4000 : 100), read(end, got, 4000));
    close(end);
  }
}
