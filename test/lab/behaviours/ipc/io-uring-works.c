// io_uring reads and writes, wherever it is set up.
// refused: it maps anon_inode
// home: io_uring_setup, io_uring_enter, io_uring_register, mmap
#include "../../lab.h"
#include <linux/io_uring.h>

BEHAVIOUR {
  struct io_uring_params p = {0};
  const int fd = TRY((int)syscall(SYS_io_uring_setup, 4, &p));
  if (fd < 0) return;
  char *ring = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
  struct io_uring_sqe *sqe = mmap(NULL, 4 * sizeof *sqe, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);
  HOLDS(ring != MAP_FAILED && (void *)sqe != MAP_FAILED);
  const int file = open("file", O_RDWR | O_CREAT, 0600);
  char text[16] = "";
  for (int i = 0; i < 2; ++i) {
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = i ? IORING_OP_READ : IORING_OP_WRITE, sqe->fd = file, sqe->addr = (uintptr_t)(i ? text : "by the ring"), sqe->len = 11, sqe->user_data = (unsigned)i + 40;
    ((unsigned *)(ring + p.sq_off.array))[i] = 0;
    atomic_store((_Atomic unsigned *)(ring + p.sq_off.tail), (unsigned)i + 1);
    DO((int)syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
    const struct io_uring_cqe *cqe = (void *)(ring + p.cq_off.cqes);
    SAY("%d %d", (int)cqe[i].user_data, cqe[i].res);
    atomic_store((_Atomic unsigned *)(ring + p.cq_off.head), (unsigned)i + 1);
  }
  SAY("%s", text);
}
