// One line of log per event, written by one system call so that lines of several processes never mix.
#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

namespace mosrun {

inline int log_descriptor = 2;           // -1: say nothing
inline const char *log_name = "mosrun";

__attribute__((format(printf, 1, 2))) inline void log_line(const char *format, ...) {
  if (log_descriptor < 0) return;
  char line[1024];
  timespec now;
  tm utc;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  size_t used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
  used += static_cast<size_t>(snprintf(line + used, sizeof line - used, ".%03ldZ %s[%d]: ", now.tv_nsec / 1000000, log_name, getpid()));
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(line + used, sizeof line - used - 1, format, arguments);
  va_end(arguments);
  if (wanted > 0) used += static_cast<size_t>(wanted) < sizeof line - used - 1 ? static_cast<size_t>(wanted) : sizeof line - used - 2;
  line[used++] = '\n';
  // A full or closed log must not stop the program, and there is nobody to tell.
  if (write(log_descriptor, line, used) < 0) return;
}

}  // namespace mosrun
