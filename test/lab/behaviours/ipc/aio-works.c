// The kernel's asynchronous I/O, and that of the C library by threads.
// refused: it maps /[aio]
// home: io_setup, io_submit, io_getevents, io_destroy
#include "../../lab.h"
#include <aio.h>
#include <linux/aio_abi.h>

BEHAVIOUR {
  char text[16] = "";
  const int fd = DO(open("file", O_RDWR | O_CREAT, 0600));
  struct aiocb c = {.aio_fildes = fd, .aio_buf = "by a thread", .aio_nbytes = 11, .aio_offset = 3};
  DO(aio_write(&c));
  const struct aiocb *list[1] = {&c};
  DO(aio_suspend(list, 1, NULL));
  AT(SAY("%d %d", aio_error(&c), (int)aio_return(&c)));
  aio_context_t context = 0;
  DO(syscall(SYS_io_setup, 4, &context));
  struct iocb one = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (unsigned)fd, .aio_buf = (uintptr_t)text, .aio_nbytes = 11, .aio_offset = 3, .aio_data = 9}, *all[1] = {&one};
  DO(syscall(SYS_io_submit, context, 1, all));
  struct io_event event;
  DO(syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
  SAY("%d %d %s", (int)event.data, (int)event.res, text);
  DO(syscall(SYS_io_destroy, context));
  DO(syscall(SYS_io_destroy, context));
  DO(pread(fd, text, 14, 0));
}
