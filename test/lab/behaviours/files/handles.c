// A file's handle tells its size first, and opens the file again.
#include "../../lab.h"

BEHAVIOUR {
  struct { struct file_handle handle; char room[128]; } h = {{0}, ""};
  int mount = -7;
  char text[8] = "";
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600)), here = DO(open(".", O_RDONLY));
  DO(write(fd, "hello", 5));
  DO(name_to_handle_at(AT_FDCWD, "file", &h.handle, &mount, 0));
  HOLDS(h.handle.handle_bytes > 0);
  const unsigned need = h.handle.handle_bytes;
  DO(name_to_handle_at(fd, "", &h.handle, &mount, AT_EMPTY_PATH));
  DO(h.handle.handle_bytes == need && mount != -7);
  const int again = TRY(open_by_handle_at(here, &h.handle, O_RDONLY));
  if (again >= 0) DO(read(again, text, sizeof text));
  SAY("%s", text);
  h.handle.handle_bytes = 129;
  DO(name_to_handle_at(fd, "", &h.handle, &mount, AT_EMPTY_PATH));
  DO(open_by_handle_at(here, &h.handle, O_RDONLY));
  h.handle.handle_bytes = 0;
  DO(open_by_handle_at(here, &h.handle, O_RDONLY));
  DO(name_to_handle_at(AT_FDCWD, "missing", &h.handle, &mount, 0));
}
