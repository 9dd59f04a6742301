// Streams of memory and of commands are streams as well.
// home: fork, vfork, clone
#include "../../lab.h"

BEHAVIOUR {
  char room[16] = "12 34", *made = NULL;
  size_t size = 0;
  int a = 0, b = 0;
  FILE *f = fmemopen(room, sizeof room, "r+");
  DO(fscanf(f, "%d %d", &a, &b));
  SAY("%d", a + b);
  DO(fclose(f));
  f = open_memstream(&made, &size);
  DO(fprintf(f, "%040d", 7));
  DO(fclose(f));
  SAY("%zu %s", size, made);
  f = popen("read x; echo \"got $x\" >popened; exit 3", "w");
  DO(fputs("words\n", f));
  DO(WEXITSTATUS(pclose(f)));
  f = popen("cat popened", "r");
  DO(fgets(room, sizeof room, f) == room);
  SAY("%s", room);
  DO(pclose(f));
  f = tmpfile();
  DO(fputs("temporary", f));
  AT(rewind(f));
  DO(fgetc(f));
  DO(fclose(f));
  free(made);
}
