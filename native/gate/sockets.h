// Descriptors between mosgate, keeper and guest: SOCK_SEQPACKET, fixed-size messages, at most one descriptor with each.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

namespace mosrun {

// All return 0 or more for success, -errno otherwise; nothing here blocks.
int send_with_fd(int socket, const void *message, size_t size, int fd);      // fd -1: none
ssize_t receive_with_fd(int socket, void *message, size_t size, int *fd);    // 0: end of file; *fd is -1 if none came
int set_blocking(int fd, bool blocking);

// Sets what a channel needs: no Nagle delay, the kernel's keepalive, blocking calls.
int prepare_channel(int fd);

int64_t now_ns(int clock);
inline constexpr int64_t kSecond = 1000000000;

}  // namespace mosrun
