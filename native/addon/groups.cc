// Which control groups have used a processor since they were last asked: thousands of them, at one system call each.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addon.h"

namespace mosrun::addon {

namespace {

// Microseconds, from the first line of cpu.stat (cgroup-v2.rst), which every group has, whatever controllers; NaN: it is gone, or has no such line.
double usage(int fd) {
  static const char kWord[] = "usage_usec ";
  char text[64];
  ssize_t got = pread(fd, text, sizeof text - 1, 0);
  if (got <= 0) return __builtin_nan("");
  text[got] = 0;
  return strncmp(text, kWord, sizeof kWord - 1) ? __builtin_nan("") : strtod(text + sizeof kWord - 1, nullptr);
}

}  // namespace

Napi::Value GroupUsages(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsTypedArray()) throw Napi::TypeError::New(env, "groupUsages: descriptors are wanted");
  const Napi::Int32Array files = info[0].As<Napi::Int32Array>();
  const size_t count = files.ElementLength();
  const int32_t *fds = files.Data();
  Napi::Float64Array usages = Napi::Float64Array::New(env, count);
  for (size_t i = 0; i < count; i++) usages[i] = usage(fds[i]);
  return usages;
}

}  // namespace mosrun::addon
