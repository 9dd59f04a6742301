// fexecve runs the file of a descriptor, also one without a name; a script whose descriptor closes on exec is not found.
#include "../../lab.h"
#include <sys/sendfile.h>

extern char **environ;

static int status_of(int fd, int directory, const char *path, int flags) {
  const pid_t child = fork();
  if (child == 0) {
    char *words[] = {"name", "child", NULL};
    lab_point("in the child");
    syscall(SYS_execveat, fd >= 0 ? fd : directory, path, words, environ, flags);
    _exit(errno == ENOENT ? 101 : errno == ENOEXEC ? 102 : errno == EBADF ? 103 : errno == EINVAL ? 104 : errno == ELOOP ? 105 : errno == EACCES ? 106 : errno == ENOTDIR ? 107 : 100);
  }
  return ended(child);
}

BEHAVIOUR {
  if (lab_argc > 1) _exit(44);
  const int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int memory = DO(memfd_create("code", MFD_CLOEXEC));
  struct stat about;
  fstat(self, &about);
  for (off_t done = 0; done < about.st_size;)
    if (sendfile(memory, self, &done, (size_t)(about.st_size - done)) <= 0) abort();
  const int script = open("script", O_RDWR | O_CREAT, 0700);
  if (write(script, "#!/bin/sh\nexit 45\n", 18) != 18 || symlink("script", "link")) abort();
  close(script);
  const int kept = open("script", O_RDONLY), closed = open("script", O_RDONLY | O_CLOEXEC), here = open(".", O_RDONLY | O_DIRECTORY);
  DO(status_of(self, 0, "", AT_EMPTY_PATH));
  DO(status_of(memory, 0, "", AT_EMPTY_PATH));
  DO(status_of(kept, 0, "", AT_EMPTY_PATH));
  DO(status_of(closed, 0, "", AT_EMPTY_PATH));
  DO(status_of(self, 0, "", 0));
  DO(status_of(here, 0, "script", 0));
  DO(status_of(here, 0, "link", AT_SYMLINK_NOFOLLOW));
  DO(status_of(self, 0, "script", 0));
  DO(status_of(555, 0, "script", 0));
  DO(status_of(here, 0, "script", 0x40000000));
  DO(status_of(-1, AT_FDCWD, "script", 0));
}
