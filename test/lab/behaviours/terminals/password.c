// getpass shows its prompt, reads a line that is not echoed, and puts the echo back.
#include "../../lab.h"
#include <pty.h>
#include <termios.h>

BEHAVIOUR {
  int master, told[2];
  if (pipe(told)) abort();
  lab_point("forkpty");
  const pid_t child = forkpty(&master, NULL, NULL, NULL);
  if (child == 0) {
    lab_point("getpass");
    const char *word = getpass("Word: ");
    struct termios mode;
    tcgetattr(0, &mode);
    if (dprintf(told[1], "%s, echo %d", word, (mode.c_lflag & ECHO) != 0) < 0) abort();
    _exit(0);
  }
  char text[200] = "";
  size_t seen = 0;
  while (seen < 6) seen += (size_t)read(master, text + seen, sizeof text - 1 - seen);
  SAY("%s", text);
  DO(write(master, "secret\n", 7));
  char word[100] = "";
  DO(read(told[0], word, sizeof word - 1) > 0);
  SAY("%s", word);
  SAY("child %d", ended(child));
  for (ssize_t n; seen < sizeof text - 1 && (n = read(master, text + seen, sizeof text - 1 - seen)) > 0;) seen += (size_t)n;
  SAY("shown: %s", strstr(text, "secret") ? "yes" : "no");
}
