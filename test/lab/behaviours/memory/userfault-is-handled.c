// A thread that handles page faults of the others gives them the pages it likes.
// refused: it handles page faults itself
// refused: it maps anon_inode
// home: userfaultfd, ioctl
#include "../../lab.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

static int fd;
static void *serve(void *page) {
  struct uffd_msg message;
  if (read(fd, &message, sizeof message) != sizeof message) return NULL;
  struct uffdio_copy copy = {.dst = message.arg.pagefault.address & ~4095ul, .src = (uintptr_t)page, .len = 4096};
  return ioctl(fd, UFFDIO_COPY, &copy) ? NULL : page;
}

BEHAVIOUR {
  char *page = aligned_alloc(4096, 4096);
  strcpy(page, "served");
  fd = TRY((int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
  struct uffdio_api api = {.api = UFFD_API};
  DO(ioctl(fd, UFFDIO_API, &api));
  char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_register all = {.range = {(uintptr_t)at, 8192}, .mode = UFFDIO_REGISTER_MODE_MISSING};
  DO(ioctl(fd, UFFDIO_REGISTER, &all));
  pthread_t server;
  pthread_create(&server, NULL, serve, page);
  AT(SAY("%s", at + 4096));
  pthread_join(server, NULL);
  DO(ioctl(fd, UFFDIO_UNREGISTER, &all.range));
  DO(close(fd));
  AT(SAY("%s %d", at + 4096, at[0]));
}
