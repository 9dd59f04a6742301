// What is too large for the address space fails with ENOMEM, and the program goes on.
#include "../../lab.h"
#include <malloc.h>

BEHAVIOUR {
  volatile size_t huge = (size_t)1 << 46, absurd = (size_t)-4096;
  AT(HOLDS(malloc(absurd) == NULL && errno == ENOMEM));
  AT(HOLDS(calloc(huge, huge) == NULL && errno == ENOMEM));
  char *at = malloc(100);
  strcpy(at, "kept");
  char *volatile same = at;
  AT(HOLDS(realloc(same, huge * 4) == NULL && errno == ENOMEM));
  SAY("%s", same);
  void *aligned = NULL;
  GIVES(posix_memalign(&aligned, 3, 100));
  GIVES(posix_memalign(&aligned, 4096, 100));
  HOLDS(aligned && (uintptr_t)aligned % 4096 == 0);
  AT(free(aligned));
  DO(malloc_trim(0) >= 0);
  at = realloc(same, 1 << 20);
  AT(SAY("%s", at));
  free(at);
}
