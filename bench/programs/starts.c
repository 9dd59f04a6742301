// Starts a program and waits for its end.  Orders: its command line.  Answer: seconds from the start to the end.
#include "worker.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(void) {
  char line[1000];
  say("ready %d", getpid());
  while (next_order(line, sizeof line)) {
    char *words[20];
    int count = 0;
    for (char *word = strtok(line, " \n"); word != NULL && count < 19; word = strtok(NULL, " \n")) words[count++] = word;
    words[count] = NULL;
    if (count == 0) return 1;
    pid_t pid;
    int status;
    const double begin = now();
    errno = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);
    if (errno != 0) fail(words[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0) fail("the program");
    say("%.9g", now() - begin);
  }
}
