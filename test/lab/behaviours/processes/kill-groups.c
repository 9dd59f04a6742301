// kill of a group reaches all its members and no others; with signal 0 it only looks; what does not exist is ESRCH.
#include "../../lab.h"

static pid_t sleeper(pid_t group) {
  const pid_t child = FORK();
  if (child == 0) for (;;) pause();
  setpgid(child, group ? group : child);
  return child;
}

BEHAVIOUR {
  const pid_t one = sleeper(0), two = sleeper(one), other = sleeper(0);
  DO(kill(-one, 0));
  DO(kill(one, 65));
  DO(kill(one, -1));
  DO(kill(0x7ffffff0, 0));
  DO(kill(-0x7ffffff0, SIGTERM));
  DO(killpg(-1, SIGTERM));
  DO(kill(INT32_MIN, 0));
  DO(kill(-one, SIGTERM));
  SAY("one %d", ended(one));
  SAY("two %d", ended(two));
  DO(waitpid(other, NULL, WNOHANG));
  DO(kill(-one, SIGTERM));
  DO(kill(-other, SIGUSR1));
  SAY("other %d", ended(other));
  signal(SIGUSR2, SIG_IGN);
  const pid_t leader = FORK();
  if (leader == 0) {
    setpgid(0, 0);
    const pid_t member = fork();
    if (member == 0) for (;;) pause();
    lab_point("kill(0)");
    if (kill(0, SIGUSR2)) _exit(1);
    signal(SIGINT, SIG_IGN);
    lab_point("kill(0) again");
    kill(0, SIGINT);
    kill(member, SIGTERM);
    _exit(ended(member) == -SIGTERM ? 61 : ended(member) == -SIGINT ? 62 : 63);
  }
  SAY("leader %d", ended(leader));
}
