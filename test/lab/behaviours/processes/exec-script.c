// A script's first line names its interpreter, one argument of it, and is followed by the script's name and the arguments.
#include "../../lab.h"

static void make(const char *name, const char *text) {
  const int fd = open(name, O_WRONLY | O_CREAT, 0700);
  if (write(fd, text, strlen(text)) < 0 || close(fd)) abort();
}
static int status_of(char *program, char *word) {
  const pid_t child = fork();
  if (child == 0) {
    char *words[] = {"name", word, NULL};
    lab_point("in the child");
    execv(program, words);
    SAY("%s", lab_error(errno));
    _exit(100);
  }
  return ended(child);
}

BEHAVIOUR {
  make("plain", "#!/bin/sh\necho $0 $1\nexit 3\n");
  make("option", "#!/bin/echo  one two \nnothing\n");
  make("again", "#! ./plain\nnothing\n");
  make("self", "#!./self\n");
  DO(status_of("./plain", "word"));
  DO(status_of("./option", "word"));
  DO(status_of("./again", "word"));
  DO(status_of("./self", "word"));
}
