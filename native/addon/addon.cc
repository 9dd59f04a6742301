#include "addon.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  using namespace mosrun::addon;
  exports.Set("peerCredentials", Napi::Function::New<PeerCredentials>(env, "peerCredentials"));
  exports.Set("roundTrip", Napi::Function::New<RoundTrip>(env, "roundTrip"));
  exports.Set("cpuFeatures", Napi::Function::New<CpuFeatures>(env, "cpuFeatures"));
  exports.Set("inspect", Napi::Function::New<Inspect>(env, "inspect"));
  exports.Set("look", Napi::Function::New<Look>(env, "look"));
  exports.Set("callTimes", Napi::Function::New<CallTimesOf>(env, "callTimes"));
  exports.Set("tellRoom", Napi::Function::New<TellRoom>(env, "tellRoom"));
  exports.Set("tellStopped", Napi::Function::New<TellStopped>(env, "tellStopped"));
  exports.Set("groupUsages", Napi::Function::New<GroupUsages>(env, "groupUsages"));
  exports.Set("trim", Napi::Function::New<Trim>(env, "trim"));
  exports.Set("sendDatagram", Napi::Function::New<SendDatagram>(env, "sendDatagram"));
  exports.Set("probeKernel", Napi::Function::New<ProbeKernel>(env, "probeKernel"));
  return exports;
}

NODE_API_MODULE(mosrun, Init)
