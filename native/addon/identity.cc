#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "addon.h"

namespace mosrun::addon {

Napi::Value PeerCredentials(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(env, "peerCredentials: a descriptor is wanted");
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(info[0].As<Napi::Number>().Int32Value(), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
    throw Napi::Error::New(env, std::string("peerCredentials: ") + strerror(errno));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", peer.pid);
  result.Set("uid", peer.uid);
  result.Set("gid", peer.gid);
  return result;
}

}  // namespace mosrun::addon
