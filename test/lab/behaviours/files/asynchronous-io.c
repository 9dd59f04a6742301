// aio_read and aio_write do it meanwhile, and tell when it is done.
#include "../../lab.h"
#include <aio.h>

BEHAVIOUR {
  char text[16] = "", in[16] = "";
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  struct aiocb write_it = {.aio_fildes = fd, .aio_buf = "asynchronous", .aio_nbytes = 12, .aio_offset = 4};
  struct aiocb read_it = {.aio_fildes = fd, .aio_buf = text, .aio_nbytes = 12, .aio_offset = 4};
  const struct aiocb *list[] = {&write_it};
  DO(aio_write(&write_it));
  while (aio_error(&write_it) == EINPROGRESS) aio_suspend(list, 1, NULL);
  DO(aio_return(&write_it));
  DO(aio_read(&read_it));
  list[0] = &read_it;
  while (aio_error(&read_it) == EINPROGRESS) aio_suspend(list, 1, NULL);
  DO(aio_return(&read_it));
  SAY("%s", text);
  int ends[2];
  DO(pipe(ends));
  struct aiocb wait = {.aio_fildes = ends[0], .aio_buf = in, .aio_nbytes = 4};
  DO(aio_read(&wait));
  DO(aio_error(&wait) == EINPROGRESS);
  DO(write(ends[1], "late", 4));
  list[0] = &wait;
  while (aio_error(&wait) == EINPROGRESS) aio_suspend(list, 1, NULL);
  DO(aio_return(&wait));
  SAY("%s", in);
  struct aiocb none = {.aio_fildes = -1};
  AT(aio_read(&none));
  while (aio_error(&none) == EINPROGRESS) sleep_ms(1);
  SAY("%s", lab_error(aio_error(&none)));
}
