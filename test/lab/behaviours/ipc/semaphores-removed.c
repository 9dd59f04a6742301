// Who waits for a semaphore that is removed wakes; a handler ends the wait with EINTR, whatever its flags.
#include "../../lab.h"
#include <sys/sem.h>

static int id;
static void end_it(void) { semctl(id, 0, IPC_RMID); }
static void handler(int signal) { (void)signal; }
static void send_it(void) { kill(getpid(), SIGUSR1); }

BEHAVIOUR {
  struct sembuf down = {0, -1, 0};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  id = TRY(semget(IPC_PRIVATE, 1, 0600));
  pthread_t other = later(60, send_it);
  AT(int r = semop(id, &down, 1); SAY("%d %s", r, lab_error(errno)));
  pthread_join(other, NULL);
  other = later(60, end_it);
  // One that is moved at this moment asks again, and it is gone.
  AT(HOLDS(semop(id, &down, 1) == -1 && (errno == EIDRM || errno == EINVAL)));
  pthread_join(other, NULL);
  AT(HOLDS(semop(id, &down, 1) == -1 && (errno == EINVAL || errno == EIDRM)));
  AT(HOLDS(semop(-1, &down, 1) == -1 && errno == EINVAL));
}
