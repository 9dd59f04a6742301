#pragma once

namespace testbed {

// Prints "testbed: WHAT WHICH: strerror(errno)" and ends with 125, as `env` does for its own failures.
[[noreturn]] void fail(const char* what, const char* which = "");

int run(int argc, char** argv);
int relay(int argc, char** argv);

// The number of the process recorded in the file as "PID START" (field 22 of /proc/PID/stat), as /proc here has it. Ends with a
// message if that process is gone; a reused number is not taken for it.
int read_recorded(const char* file);
// Writes "PID START" of the caller, as seen from the /proc it was started under.
void record_self(const char* file);

}  // namespace testbed
