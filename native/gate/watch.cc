#include "watch.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mosrun {

void Watches::assign(Watch &watch, pid_t pid) {
  watch.pid = pid;
  watch.pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

void Watches::add_channel(const PoolMessage &channel, int fd, pid_t leader) {
  ChannelKind kind = channel.kind;
  if (fd < 0) return;
  bool spare = kind == ChannelKind::spare;
  if (kind == ChannelKind::event) {
    for (size_t i = list_.count; i-- > 0;) {
      if (list_[i].provisional) drop(i);
    }
  }
  Watch watch{fd, spare ? 0 : -1, -1, channel.index, channel.owner, kind == ChannelKind::thread};
  if (!spare && leader > 0) assign(watch, leader);
  if (!list_.add(watch)) close(fd);
}

void Watches::start(pid_t leader) {
  for (Watch &watch : list_) {
    if (watch.pid < 0) assign(watch, leader);
  }
}

bool Watches::has_event() {
  for (Watch &watch : list_) {
    if (watch.pid != 0 && !watch.provisional) return true;
  }
  return false;
}

bool Watches::has_process() {
  for (Watch &watch : list_) {
    if (watch.pid > 0) return true;
  }
  return false;
}

void Watches::claim(const PoolMessage &message) {
  // Guest code may write to the pool socket: it can name processes of its own session only, and not this one.
  if (message.pid <= 1) return;
  for (size_t i = 0; i < list_.count; i++) {
    if (list_[i].pid != 0 || list_[i].index != message.index || list_[i].owner != message.owner) continue;
    if (message.kind == ChannelKind::event) assign(list_[i], message.pid);
    else drop(i);   // a thread's channel now: a duplicate here would only keep it open
    return;
  }
  // A spare that hung up is no longer in the list: home does not know this process.
  if (message.kind == ChannelKind::event) kill(message.pid, SIGKILL);
}

void Watches::drop(size_t index) {
  close(list_[index].fd);
  if (list_[index].pidfd >= 0) close(list_[index].pidfd);
  list_.remove(index);
}

void Watches::poll_set(Array<pollfd> &set) {
  for (Watch &watch : list_) {
    set.add({watch.fd, POLLRDHUP, 0});
    set.add({watch.pidfd, POLLIN, 0});
  }
}

// A guest process ended: home is told how, and at once, whoever else still has the channel.
void Watches::take_leave(size_t index, int status) {
  Farewell word{kFarewellMagic, status};
  if (!list_[index].provisional) send(list_[index].fd, &word, sizeof word, MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(list_[index].fd, SHUT_RDWR);
  drop(index);
}

void Watches::ended(pid_t pid, int status) {
  for (size_t i = list_.count; i-- > 0;)
    if (list_[i].pid == pid) take_leave(i, status);
}

void Watches::react(const pollfd *ready, Array<pid_t> &ended) {
  for (size_t i = list_.count; i-- > 0;) {
    Watch &watch = list_[i];
    if (ready[2 * i + 1].revents) {
      int status = 0;
      if (waitpid(watch.pid, &status, WNOHANG | __WALL) == watch.pid) ended.add(watch.pid);
      take_leave(i, status);
    } else if (ready[2 * i].revents) {
      if (watch.pid > 0 && watch.pidfd < 0) assign(watch, watch.pid);   // announced before it was there
      if (watch.pidfd >= 0) syscall(SYS_pidfd_send_signal, watch.pidfd, SIGKILL, nullptr, 0);
      drop(i);
    }
  }
}

}  // namespace mosrun
