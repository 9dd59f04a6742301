#include "engine/rights.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/proc.h"

namespace mosrun {

// Each thread has credentials of its own (credentials(7)); a field is "real effective saved filesystem".
std::string rights_of(pid_t pid) {
  std::vector<pid_t> threads = threads_of(pid);
  if (threads.empty()) threads.push_back(pid);
  for (pid_t tid : threads) {
    unsigned uid[4], gid[4];
    std::string uids = status_field(tid, "Uid"), gids = status_field(tid, "Gid");
    if (sscanf(uids.c_str(), "%u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]) != 4 || sscanf(gids.c_str(), "%u %u %u %u", &gid[0], &gid[1], &gid[2], &gid[3]) != 4)
      return "rights that cannot be found out";
    for (unsigned one : uid)
      if (one == 0) return "root's rights";
    for (int i = 1; i < 4; ++i)
      if (uid[i] != uid[0] || gid[i] != gid[0]) return "rights of another user or group than its own (a set-user-ID or set-group-ID program)";
    for (const char *set : {"CapPrm", "CapEff"})
      if (strtoull(status_field(tid, set).c_str(), nullptr, 16)) return "capabilities";
  }
  return "";
}

}  // namespace mosrun
