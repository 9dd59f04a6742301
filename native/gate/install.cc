#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"

namespace mosrun {

bool install_filter(const Begin &begin) {
  static sock_filter code[BPF_MAXINSNS];
  unsigned length = build_filter(begin.base, code, BPF_MAXINSNS);
  sock_fprog program{static_cast<unsigned short>(length), code};
  return length > 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

}  // namespace mosrun
