// sendfile and copy_file_range of many megabytes say how far they came, and get there.
#include "../../lab.h"
#include <sys/sendfile.h>

BEHAVIOUR {
  const off_t size = 12 << 20;
  char *data = malloc((size_t)size);
  for (off_t i = 0; i < size; ++i) data[i] = (char)(i / 512 * 3 + i);
  const int in = DO(open("in", O_RDWR | O_CREAT, 0600)), out = DO(open("out", O_RDWR | O_CREAT, 0600));
  DO(write(in, data, (size_t)size));
  off_t at = 0;
  for (int i = 0; i < 100 && at < size; ++i) {
    if (i < 5) lab_point("sendfile");
    if (sendfile(out, in, &at, (size_t)(size - at)) <= 0) break;
  }
  SAY("%ld", (long)at);
  memset(data, 0, (size_t)size);
  DO(pread(out, data, (size_t)size, 0));
  off_t wrong = 0;
  for (off_t i = 0; i < size; ++i) wrong += data[i] != (char)(i / 512 * 3 + i);
  SAY("%ld wrong", (long)wrong);
  off64_t from = 0, to = size;
  for (int i = 0; i < 100 && from < size; ++i) {
    if (i < 5) lab_point("copy_file_range");
    if (copy_file_range(out, &from, out, &to, (size_t)(size - from), 0) <= 0) break;
  }
  SAY("%ld %ld", (long)from, (long)to);
  DO(unlink("in"));
  DO(unlink("out"));
}
