// fanotify tells which file was opened and closed, with a descriptor of it.
#include "../../lab.h"
#include <sys/fanotify.h>

BEHAVIOUR {
  const int fd = TRY(fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY));
  if (fd < 0) return;
  close(open("file", O_RDWR | O_CREAT, 0600));
  DO(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE_WRITE, AT_FDCWD, "file"));
  const int file = TRY(open("file", O_RDWR));
  DO(write(file, "content", 7));
  DO(close(file));
  struct fanotify_event_metadata events[4] = {0};
  const ssize_t n = DO(read(fd, events, sizeof events));
  for (ssize_t i = 0; i < n / (ssize_t)sizeof *events; ++i) {
    char text[8] = "";
    SAY("%llx, of this process: %d", (long long)events[i].mask, events[i].pid == getpid());
    DO(pread(events[i].fd, text, 7, 0));
    SAY("%s", text);
    close(events[i].fd);
  }
  DO(read(fd, events, sizeof events));
  DO(fanotify_mark(fd, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "none"));
  DO(fanotify_init(~0u, O_RDONLY));
}
