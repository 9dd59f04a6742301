// abort ends the process by SIGABRT: handled, blocked or ignored.
#include "../../lab.h"
#include <sys/resource.h>

static void handler(int signal) { (void)signal, SAY("handled"); }

BEHAVIOUR {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  for (int how = 0; how < 4; ++how) {
    const pid_t child = FORK();
    if (child == 0) {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGABRT);
      struct sigaction action = {.sa_handler = how == 1 ? SIG_IGN : how ? handler : SIG_DFL};
      sigaction(SIGABRT, &action, NULL);
      if (how == 3) sigprocmask(SIG_BLOCK, &set, NULL);
      AT(abort());
    }
    SAY("%d: %d", how, ended(child));
  }
}
