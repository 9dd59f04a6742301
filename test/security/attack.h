/* What the attacks share. A call "inside" is issued by the stub's own code, so that the filter's look at the instruction pointer lets it through;
   where there is no stub (a plain run, for control) it is an ordinary one. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>

typedef uint64_t u64;

extern char *stub; /* where its code begins; 0 where there is none */
enum { kCode = 256 << 10, kControl = 256 << 10, kSlots = 6 << 20 };

void find_stub(void);
long inside(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
long outside(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
/* A child that does one thing, and is killed if that takes longer. The status of waitpid(2), or -1 where no child could be made. */
int in_child(void (*thing)(long), long argument, int ms);

int reach(const char *what, char **words); /* reach.c: attempts that show at the hosting node; 0: done */
int batter(const char *what);              /* batter.c: everything at once, at random */
int exhaust(const char *what);             /* exhaust.c: memory, descriptors, threads, processes */
