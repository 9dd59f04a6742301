// Local time follows the zone that TZ names, whose rules are read from a file or from the name itself.
#include "../../lab.h"

static void look(const char *zone, time_t t) {
  setenv("TZ", zone, 1);
  lab_point("tzset");
  tzset();
  struct tm tm;
  char text[64];
  lab_point("localtime");
  localtime_r(&t, &tm);
  strftime(text, sizeof text, "%F %T %Z %z", &tm);
  SAY("%s: %s, %d", zone, text, mktime(&tm) == t);
}

BEHAVIOUR {
  look("UTC", 1700000000);
  look("CET-1CEST,M3.5.0,M10.5.0/3", 1700000000);
  look("CET-1CEST,M3.5.0,M10.5.0/3", 1690000000);
  look("<+0545>-5:45", 0);
  look("Europe/Berlin", 1690000000);
  look("America/New_York", 1700000000);
  look("No/Such_Zone", 1700000000);
}
