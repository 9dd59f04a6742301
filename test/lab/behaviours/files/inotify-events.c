// inotify tells what happens to what it watches, in order; the two names of a move have one cookie.
#include "../../lab.h"
#include <sys/inotify.h>

static int fd, d;
static void say(void) {
  char room[4096] __attribute__((aligned(8)));
  lab_point("read of events");
  const ssize_t n = read(fd, room, sizeof room);
  if (n < 0) SAY("%s", lab_error(errno));
  unsigned cookie = 0;
  for (ssize_t at = 0; at < n;) {
    const struct inotify_event *event = (struct inotify_event *)(room + at);
    SAY("%s %x %s%s", event->wd == d ? "d" : "other", event->mask, event->len ? event->name : "",
        !event->cookie ? "" : event->cookie == cookie ? " same" : " cookie");
    cookie = event->cookie;
    at += (ssize_t)(sizeof *event + event->len);
  }
}
static void late(void) { if (mkdir("d/late", 0700)) abort(); }

BEHAVIOUR {
  DO(mkdir("d", 0700));
  DO(mkdir("e", 0700));
  fd = DO(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  d = inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE);
  HOLDS(d >= 0 && inotify_add_watch(fd, "e", IN_MOVED_TO) > d);
  say();
  DO(close(DO(open("d/file", O_CREAT | O_WRONLY, 0600))));
  DO(rename("d/file", "d/new"));
  DO(rename("d/new", "e/new"));
  DO(read(fd, &d, 3));
  say();
  DO(fcntl(fd, F_SETFL, 0));
  pthread_t other = later(60, late);
  say();
  pthread_join(other, NULL);
  DO(inotify_rm_watch(fd, 777));
  DO(inotify_rm_watch(fd, d));
  say();
  DO(inotify_add_watch(fd, "missing", IN_CREATE));
  DO(inotify_add_watch(fd, "d", 0));
}
