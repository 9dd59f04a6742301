// ^C, ^\ and ^Z typed at a terminal signal its foreground group, ^Z stops it, and the shell above sees that and brings it back.
// refused: it is stopped
#include "../../lab.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static volatile sig_atomic_t caught;
static void handler(int signal) { caught = signal; }
static int master;
static void type(const char *what) { if (write(master, what, 1) != 1) abort(); }

BEHAVIOUR {
  int slave, ready[2], status;
  char word;
  if (openpty(&master, &slave, NULL, NULL, NULL) || pipe(ready)) abort();
  const pid_t child = FORK();
  if (child == 0) {                                   // the leader of a session, and a job of it
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    signal(SIGTTOU, SIG_IGN);
    const pid_t job = fork();
    if (job == 0) {
      setpgid(0, 0);
      tcsetpgrp(slave, getpid());
      signal(SIGTTOU, SIG_DFL);
      sigaction(SIGINT, &(struct sigaction){.sa_handler = handler}, NULL);
      if (write(ready[1], "r", 1) != 1) abort();
      lab_point("wait for ^C");
      char text[4];
      const ssize_t n = read(slave, text, 4);
      signal(SIGINT, SIG_IGN);
      if (n >= 0 || errno != EINTR || caught != SIGINT || write(ready[1], "c", 1) != 1) _exit(1);
      lab_point("wait for ^Z");
      n < 0 ? read(slave, text, 4) : 0;
      if (write(ready[1], "g", 1) != 1) abort();
      lab_point("wait for ^\\");
      for (;;) pause();
    }
    TRY(waitpid(job, &status, WUNTRACED));
    SAY("stopped by SIGTSTP: %d", WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
    DO(tcsetpgrp(slave, getpgrp()));
    DO(tcsetpgrp(slave, job));
    DO(kill(-job, SIGCONT));
    if (write(ready[1], "b", 1) != 1) abort();
    TRY(waitpid(job, &status, 0));
    SAY("ended by SIGQUIT: %d", WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
    _exit(0);
  }
  DO(read(ready[0], &word, 1));
  fcntl(ready[0], F_SETFL, O_NONBLOCK);
  while (read(ready[0], &word, 1) != 1 || word != 'c') type("\3"), sleep_ms(30);
  fcntl(ready[0], F_SETFL, 0);
  sleep_ms(30);
  type("\32");
  while (read(ready[0], &word, 1) == 1 && word != 'b') continue;
  if (write(master, "x\n", 2) != 2) abort();
  while (read(ready[0], &word, 1) == 1 && word != 'g') continue;
  type("\34");
  SAY("child %d", ended(child));
}
