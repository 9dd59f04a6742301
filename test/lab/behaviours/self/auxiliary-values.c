// What the kernel told the program at its start stays true.
#include "../../lab.h"
#include <sys/auxv.h>

BEHAVIOUR {
  DO(getauxval(AT_PAGESZ));
  DO(getauxval(AT_UID) == getuid());
  DO(getauxval(AT_SECURE));
  DO(((const unsigned char *)getauxval(AT_PHDR))[0] > 0);
  DO(getauxval(AT_CLKTCK) == (unsigned long)sysconf(_SC_CLK_TCK));
  DO(strcmp((const char *)getauxval(AT_EXECFN) + strlen((const char *)getauxval(AT_EXECFN)) - 10, "ary-values"));
  DO(memcmp((const char *)getauxval(AT_PLATFORM), "x86_64", 7));
  DO(*(const volatile char *)getauxval(AT_SYSINFO_EHDR) == 0x7f);
  DO(((const volatile char *)getauxval(AT_RANDOM))[15] * 0);
  DO(getauxval(12345));
}
