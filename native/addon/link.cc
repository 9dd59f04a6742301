// How far the other end of a TCP connection is, as the kernel has measured it: tcp(7), TCP_INFO.
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "addon.h"

namespace mosrun::addon {

Napi::Value RoundTrip(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(env, "roundTrip: a descriptor is wanted");
  tcp_info known{};
  socklen_t size = sizeof known;
  if (getsockopt(info[0].As<Napi::Number>().Int32Value(), IPPROTO_TCP, TCP_INFO, &known, &size) < 0) {
    throw Napi::Error::New(env, std::string("roundTrip: ") + strerror(errno));
  }
  // Before the first measurement the least is all ones.
  const bool measured = size >= offsetof(tcp_info, tcpi_min_rtt) + sizeof known.tcpi_min_rtt && known.tcpi_min_rtt != ~0u;
  return Napi::Number::New(env, (measured ? known.tcpi_min_rtt : known.tcpi_rtt) / 1e6);
}

}  // namespace mosrun::addon
