// Users and groups are looked up in the files of the home-node.
#include "../../lab.h"
#include <grp.h>
#include <pwd.h>
#include <syslog.h>

BEHAVIOUR {
  struct passwd *user, entry;
  char text[1024], tiny[4];
  AT(user = getpwnam("root"));
  SAY("%s %d %s", user->pw_name, (int)user->pw_uid, user->pw_dir);
  AT(user = getpwuid(0));
  SAY("%s", user->pw_name);
  AT(HOLDS(getpwnam("no-such-user") == NULL));
  GIVES(getpwnam_r("root", &entry, tiny, sizeof tiny, &user));
  GIVES(getpwnam_r("root", &entry, text, sizeof text, &user));
  SAY("%s", user->pw_shell);
  struct group *group;
  AT(group = getgrgid(0));
  SAY("%s", group->gr_name);
  gid_t groups[32];
  int n = 32;
  DO(getgrouplist("root", 0, groups, &n));
  int users = 0;
  AT(setpwent());
  for (int i = 0; i < 3; ++i) AT(users += getpwent() != NULL);
  AT(endpwent());
  SAY("%d", users);
  AT(openlog("lab", LOG_PID | LOG_NDELAY, LOG_USER));
  AT(syslog(LOG_DEBUG, "nobody hears %d", 1));
  AT(closelog());
}
