// A write beyond RLIMIT_FSIZE ends a program that does not handle SIGXFSZ.
// home: fork
#include "../../lab.h"
#include <sys/resource.h>

BEHAVIOUR {
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  const pid_t child = FORK();
  if (!child) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){4, 4});
    if (write(fd, "123456", 6) != 4) _exit(1);
    lab_point("write");
    if (write(fd, "123456", 6)) _exit(2);
    _exit(3);
  }
  SAY("child %d", ended(child) == -SIGXFSZ);
  DO(lseek(fd, 0, SEEK_END));
}
