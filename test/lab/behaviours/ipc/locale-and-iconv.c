// Locales and conversions of characters, whose tables are read from files when they are first wanted.
#include "../../lab.h"
#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <wchar.h>

BEHAVIOUR {
  AT(SAY("%s", setlocale(LC_ALL, "C.UTF-8")));
  AT(SAY("%s", nl_langinfo(CODESET)));
  wchar_t wide[8];
  DO(mbstowcs(wide, "a\xc3\xa4\xe2\x82\xac", 8));
  SAY("%x %x", (unsigned)wide[1], (unsigned)wide[2]);
  iconv_t to;
  AT(to = iconv_open("ISO-8859-15", "UTF-8"));
  HOLDS(to != (iconv_t)-1);
  char in[] = "\xc3\xa4\xe2\x82\xac", out[8] = "", *from = in, *end = out;
  size_t left = strlen(in), room = sizeof out;
  DO(iconv(to, &from, &left, &end, &room));
  SAY("%x %x %d", (unsigned char)out[0], (unsigned char)out[1], (int)room);
  from = "\xff", left = 1;
  DO(iconv(to, &from, &left, &end, &room));
  AT(HOLDS(iconv_open("no-such-code", "UTF-8") == (iconv_t)-1 && errno == EINVAL));
  DO(iconv_close(to));
  AT(to = iconv_open("UTF-16LE", "KOI8-R"));
  from = "\xc1", left = 1, end = out, room = 8;
  DO(iconv(to, &from, &left, &end, &room));
  SAY("%x %x", (unsigned char)out[0], (unsigned char)out[1]);
  AT(HOLDS(setlocale(LC_ALL, "xx_YY") == NULL));
}
