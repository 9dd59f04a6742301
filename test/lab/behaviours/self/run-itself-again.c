// A program that runs /proc/self/exe has the same number, other words, and its name.
// home: execve
#include "../../lab.h"

BEHAVIOUR {
  char name[600] = "", text[40];
  if (lab_argc == 1) {
    DO(open("/dev/null", O_RDONLY | O_CLOEXEC));
    snprintf(text, sizeof text, "%d", getpid());
    lab_point("execve");
    execl("/proc/self/exe", "other-name", text, NULL);
    abort();
  }
  SAY("%s, same %d", lab_argv[0], atoi(lab_argv[1]) == getpid());
  AT(readlink("/proc/self/exe", name, sizeof name - 1));
  SAY("%s", strrchr(name, '/'));
  SAY("%s", program_invocation_name);
  DO(fcntl(3, F_GETFD));
  AT((void)0);
  const int fd = open("/proc/self/comm", O_RDONLY);
  memset(text, 0, sizeof text);
  DO(read(fd, text, sizeof text - 1));
  SAY("%s", text);
}
