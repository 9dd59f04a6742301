// What the program asks about its machine is told of the home-node, the same everywhere.
#include "../../lab.h"
#include <sys/auxv.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void look(char *text, size_t size) {
  struct utsname name;
  struct sysinfo info;
  char host[256] = "", domain[256] = "";
  uname(&name);
  sysinfo(&info);
  gethostname(host, sizeof host);
  if (getdomainname(domain, sizeof domain)) abort();
  snprintf(text, size, "%s %s %s %s %lu %s %s %ld %ld %ld %ld %lx %d", name.sysname, name.nodename, name.release, name.machine, info.totalram, host, domain,
           sysconf(_SC_PAGESIZE), sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_CLK_TCK), sysconf(_SC_PHYS_PAGES), getauxval(AT_HWCAP), get_nprocs());
}

BEHAVIOUR {
  char first[1000], again[1000], cut[3] = "zz";
  look(first, sizeof first);
  for (int i = 0; i < 3; ++i) {
    AT(look(again, sizeof again));
    HOLDS(!strcmp(first, again));
  }
  DO(gethostname(cut, 2));
  void *volatile bad = (void *)8;
  DO(uname(bad));
  double load[3] = {-1, -1, -1};
  DO(getloadavg(load, 3));
  HOLDS(load[0] >= 0 && load[2] >= 0);
  struct sysinfo one, two;
  AT(sysinfo(&one));
  AT(sysinfo(&two));
  HOLDS(two.uptime >= one.uptime && two.uptime < one.uptime + 20 && one.procs > 0);
}
