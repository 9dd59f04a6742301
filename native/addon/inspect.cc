#include "engine/inspect.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "addon.h"
#include "engine/stops.h"

#include <unordered_map>

namespace mosrun::addon {
namespace {

std::string Hex(const char *format, uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, format, static_cast<unsigned long>(value));
  return text;
}

/// How often each call did something, by name.
template <size_t kCount>
Napi::Object Counts(Napi::Env env, const uint32_t (&counts)[kCount]) {
  Napi::Object result = Napi::Object::New(env);
  for (size_t number = 0; number < kCount; number++) {
    if (counts[number] == 0) continue;
    const char *name = system_call_name(static_cast<int>(number));
    result.Set(*name ? std::string(name) : std::to_string(number), static_cast<double>(counts[number]));
  }
  return result;
}

}  // namespace

Napi::Value Inspect(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(env, "inspect: a process id is wanted");
  ProcessStatus status;
  if (!find_control(info[0].As<Napi::Number>().Int32Value(), status) || !status.base) return env.Null();

  const Control &control = status.control;
  const Statistics &statistics = control.statistics;
  Napi::Object result = Napi::Object::New(env);
  result.Set("state", status.state);
  result.Set("base", Hex("0x%lx", status.base.value));
  result.Set("session", Hex("%016lx", control.session));
  char address[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &control.gate_address, address, sizeof address);
  result.Set("address", address);
  result.Set("port", ntohs(control.gate_port));
  result.Set("encrypted", control.seal != 0);
  result.Set("migrations", static_cast<double>(statistics.migrations));
  result.Set("freezeSeconds", static_cast<double>(statistics.freeze_ns) / 1e9);
  const bool is_guest = control.side == static_cast<uint32_t>(Side::guest), comes = control.stage != static_cast<uint32_t>(Coming::none);
  result.Set("aheadBytes", static_cast<double>(is_guest ? control.ahead_bytes : comes ? control.stage_bytes + control.stage_saved : 0));
  result.Set("calls", static_cast<double>(statistics.calls));
  result.Set("bytesOut", static_cast<double>(statistics.bytes_out));
  result.Set("bytesIn", static_cast<double>(statistics.bytes_in));
  const int last = statistics.last_return;
  result.Set("lastReturn", last == kByOrder || statistics.migrations == 0 ? env.Null()
                           : last == kByFault                             ? Napi::String::New(env, "a fault").As<Napi::Value>()
                           : last == kByWriter                            ? Napi::String::New(env, "a file that it maps and that is opened for writing").As<Napi::Value>()
                                                                          : Napi::String::New(env, system_call_name(last)).As<Napi::Value>());
  // It asks five times a second.
  const bool waits = status.control.waits_at && static_cast<int64_t>(status.control.waits_at) > clock_ns(CLOCK_MONOTONIC) - 1'000'000'000;
  result.Set("waitsFor", waits ? Napi::String::New(env, system_call_name(static_cast<int>(status.control.waits_for))).As<Napi::Value>() : env.Null());
  result.Set("returns", Counts(env, statistics.returns));
  result.Set("refused", Counts(env, statistics.refused));
  return result;
}

Napi::Value Look(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(env, "look: a process id is wanted");
  static std::unordered_map<pid_t, Remote> bases;
  if (bases.size() > 10'000) bases.clear();   // of processes that have ended
  const pid_t pid = info[0].As<Napi::Number>().Int32Value();
  Remote &base = bases[pid];
  const Glance glance = glance_at(pid, base);
  if (!glance.state) return bases.erase(pid), env.Null();
  Napi::Object result = Napi::Object::New(env);
  result.Set("state", glance.state);
  result.Set("letter", std::string(1, glance.letter));
  result.Set("tracer", glance.tracer);
  return result;
}

// Nanoseconds as seconds.
Napi::Number Seconds(Napi::Env env, uint64_t ns) { return Napi::Number::New(env, static_cast<double>(ns) / 1e9); }

Napi::Object Times(Napi::Env env, const CallTimes &times) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("calls", static_cast<double>(times.calls));
  result.Set("bytes", static_cast<double>(times.bytes));
  result.Set("seconds", Seconds(env, times.taken));
  result.Set("homeSeconds", Seconds(env, times.at_home));
  return result;
}

Napi::Value CallTimesOf(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(env, "callTimes: a process id is wanted");
  ProcessStatus status;
  if (!find_control(info[0].As<Napi::Number>().Int32Value(), status) || !status.base) return env.Null();
  const Statistics &statistics = status.control.statistics;
  Napi::Object calls = Napi::Object::New(env);
  for (size_t kind = 0; kind < kCallKinds; kind++) {
    if (statistics.by_call[kind].calls == 0) continue;
    const char *name = system_call_name(static_cast<int>(kind));
    calls.Set(kind == kPageFetched ? "a page of a file" : *name ? std::string(name) : std::to_string(kind), Times(env, statistics.by_call[kind]));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("byCall", calls);
  result.Set("answered", Times(env, statistics.answered));
  result.Set("ahead", Times(env, statistics.ahead));
  return result;
}

Napi::Value TellRoom(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsNumber() || !info[1].IsNumber()) throw Napi::TypeError::New(env, "tellRoom: a process id and seconds are wanted");
  return Napi::Boolean::New(env, tell_room(info[0].As<Napi::Number>().Int32Value(), static_cast<int64_t>(info[1].As<Napi::Number>().DoubleValue() * 1e9)));
}

Napi::Value TellStopped(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsNumber() || !info[1].IsBoolean()) throw Napi::TypeError::New(env, "tellStopped: a process id and a boolean are wanted");
  return Napi::Boolean::New(env, tell_stopped(info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Boolean>().Value()));
}

}  // namespace mosrun::addon
