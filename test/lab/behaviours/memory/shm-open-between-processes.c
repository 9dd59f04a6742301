// Memory that processes share by a name is the same memory, and goes with its last user after it was unlinked.
// refused: it maps a file shared
// home: mmap
#include "../../lab.h"

BEHAVIOUR {
  char name[64], text[8] = "";
  snprintf(name, sizeof name, "/lab-%d", getpid());
  int fd = TRY(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
  TRY(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
  DO(ftruncate(fd, 8192));
  const pid_t child = FORK();
  if (child == 0) {
    const int own = shm_open(name, O_RDWR, 0);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
    lab_point("child");
    strcpy(map + 4096, "child");
    _exit(0);
  }
  SAY("%d", ended(child));
  DO(pread(fd, text, 6, 4096));
  SAY("%s", text);
  char *map = TRY(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0));
  AT(SAY("%s", map + 4096));
  DO(shm_unlink(name));
  DO(shm_unlink(name));
  TRY(shm_open(name, O_RDWR, 0));
  DO(close(fd));
  AT(SAY("%s", map + 4096));
}
