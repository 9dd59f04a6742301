#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "addon.h"

namespace mosrun::addon {

Napi::Value SendDatagram(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsString() || !info[1].IsString()) throw Napi::TypeError::New(env, "sendDatagram: an address and a text are wanted");
  std::string address = info[0].As<Napi::String>(), text = info[1].As<Napi::String>();
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address.empty() || address.size() >= sizeof to.sun_path) throw Napi::Error::New(env, "sendDatagram: no address of a unix socket");
  memcpy(to.sun_path, address.data(), address.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = 0;   // abstract, unix(7)
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  bool sent = fd >= 0 && sendto(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<sockaddr *>(&to), size) >= 0;
  int error = errno;
  if (fd >= 0) close(fd);
  if (!sent) throw Napi::Error::New(env, std::string("sendDatagram: ") + strerror(error));
  return env.Undefined();
}

}  // namespace mosrun::addon
