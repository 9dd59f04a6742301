// The husk's filter, only for guests whose test wants it: the rest of the sandbox has to hold without it.
#include "gate/filter.h"
#define install_filter really_install_filter
#include "gate/install.cc"
#undef install_filter
#include "guest.h"

bool mosrun::install_filter(const Begin &begin) { return begin.fault != kFiltered || really_install_filter(begin); }
