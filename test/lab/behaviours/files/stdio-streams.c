// Streams: read, put back, found again, appended to, and closed with what they still had.
// home: fork
#include "../../lab.h"

BEHAVIOUR {
  char text[64] = "", *line = NULL;
  size_t room = 0;
  FILE *f = fopen("file", "w+");
  DO(fprintf(f, "%s %d %5.2f\n", "line", 1, 2.5));
  DO(fputs("second line\nthird", f));
  DO(fseek(f, 5, SEEK_SET));
  int number = 0;
  DO(fscanf(f, "%d", &number));
  DO(ungetc('z', f));
  DO(fgetc(f));
  DO(getline(&line, &room, f));
  SAY("%d %s", number, line);
  DO(ftell(f));
  DO(getdelim(&line, &room, ' ', f));
  DO(fread(text, 1, sizeof text, f));
  DO(feof(f) != 0);
  DO(fclose(f));
  f = fopen("file", "a+x");
  SAY("%d", f == NULL && errno == EEXIST);
  f = fopen("file", "a+");
  DO(fputs("!", f));
  DO(setvbuf(f, NULL, _IONBF, 0));
  DO(fputs("?", f));
  DO(ftell(f));
  const pid_t child = FORK();
  if (!child) exit(7);                                  // nothing is left to be written twice
  SAY("child %d", ended(child));
  DO(freopen("file", "r", f) == f);
  DO(fread(text, 1, sizeof text - 1, f));
  SAY("%s", text);
  free(line);
}
