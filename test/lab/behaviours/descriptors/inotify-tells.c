// inotify tells what happens in a directory, in order, with cookies for a rename, and the end of a watch.
#include "../../lab.h"
#include <sys/inotify.h>

static int fd, wd;
static void look(void) {
  sleep_ms(5);
  char text[2048] __attribute__((aligned(8)));
  const ssize_t n = DO(read(fd, text, sizeof text));
  unsigned cookie = 0;
  for (ssize_t at = 0; at < n;) {
    const struct inotify_event *e = (const void *)(text + at);
    SAY("  %d %x %s%s", e->wd == wd, e->mask, e->len ? e->name : "", e->cookie && e->cookie == cookie ? " (same cookie)" : "");
    cookie = e->cookie;
    at += (ssize_t)sizeof *e + e->len;
  }
}
static void make(void) { mkdir("d/late", 0700); }

BEHAVIOUR {
  char small[10];
  DO(mkdir("d", 0700));
  fd = DO(inotify_init1(IN_CLOEXEC));
  wd = DO(inotify_add_watch(fd, "d", IN_CREATE | IN_CLOSE_WRITE | IN_MOVE | IN_DELETE | IN_ATTRIB));
  const int file = DO(open("d/one", O_WRONLY | O_CREAT, 0600));
  DO(close(file));
  DO(rename("d/one", "d/two"));
  DO(read(fd, small, sizeof small));
  look();
  const pthread_t other = later(60, make);
  look();
  pthread_join(other, NULL);
  DO(fcntl(fd, F_SETFL, O_NONBLOCK));
  AT(while (read(fd, (char[2048]){0}, 2048) > 0) continue);
  DO(unlink("d/two"));
  DO(inotify_rm_watch(fd, wd));
  look();
  DO(inotify_rm_watch(fd, wd));
  DO(inotify_add_watch(fd, "none", IN_CREATE));
  DO(inotify_add_watch(fd, "d", 0));
}
