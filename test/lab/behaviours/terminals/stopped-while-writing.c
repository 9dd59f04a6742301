// A program that is stopped and continued in the middle of a large write to a terminal loses nothing and repeats nothing.
// refused: it is stopped
#include "../../lab.h"
#include <pty.h>
#include <termios.h>

enum { size = 60000 };

BEHAVIOUR {
  int master, slave;
  static char text[size], got[size];
  struct termios mode;
  if (openpty(&master, &slave, NULL, NULL, NULL)) abort();
  tcgetattr(slave, &mode);
  cfmakeraw(&mode);
  tcsetattr(slave, TCSANOW, &mode);
  for (int i = 0; i < size; ++i) text[i] = (char)('a' + i % 23 + i / 23 % 3);
  const pid_t child = FORK();
  if (child == 0) {
    close(master);
    lab_point("write");
    for (size_t done = 0; done < size;) {
      const ssize_t n = write(slave, text + done, size - done);
      if (n < 0) _exit(1);
      done += (size_t)n;
    }
    _exit(0);
  }
  setpgid(child, child);
  close(slave);
  size_t done = 0;
  for (int turn = 0; done < size; ++turn) {
    const ssize_t n = read(master, got + done, size - done < 1500 ? size - done : 1500);
    if (n < 0) break;
    done += (size_t)n;
    if (turn == 5 || turn == 15) {
      kill(child, SIGTSTP);
      sleep_ms(60);
      lab_point("stopped");
      kill(child, SIGCONT);
    }
  }
  SAY("%zu bytes, as they were: %d", done, !memcmp(text, got, size));
  SAY("child %d", ended(child));
}
