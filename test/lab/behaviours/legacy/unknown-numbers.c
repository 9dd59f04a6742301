// A number beyond the last call is ENOSYS.
// home: number 600, number 2000, number 4095
#include "../../lab.h"

BEHAVIOUR {
  DO(syscall(2000));
  DO(syscall(4095, 1, 2, 3));
  DO(syscall(0x3fffffff));
  DO(syscall(-1));
}
