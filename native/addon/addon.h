// The Node-API addon: a thin, typed-in-TypeScript window on what only C can ask of the kernel and the processor.
#pragma once
#include <napi.h>

namespace mosrun::addon {

/// peerCredentials(fd) -> { pid, uid, gid }: who is at the other end of a unix socket (SO_PEERCRED, unix(7)).
Napi::Value PeerCredentials(const Napi::CallbackInfo &info);

/// roundTrip(fd) -> seconds: the least that a packet and its acknowledgement have taken on this TCP connection (TCP_INFO, tcp(7)).
Napi::Value RoundTrip(const Napi::CallbackInfo &info);

/// cpuFeatures() -> { hash, xsaveBytes, xcr0, registers }: what a program can find out about the processor and depend on.
Napi::Value CpuFeatures(const Napi::CallbackInfo &info);

/// probeKernel() -> [{ name, ok, detail }]: every kernel feature the engine builds on, tried once, by name.
Napi::Value ProbeKernel(const Napi::CallbackInfo &info);

/// inspect(pid) -> what its stub tells about a process that is or was away, or null: it has none.
Napi::Value Inspect(const Napi::CallbackInfo &info);
/// look(pid) -> {state, letter, tracer}: what has to be known of a process that is away every second or so, or null: it has no stub.
Napi::Value Look(const Napi::CallbackInfo &info);
/// callTimes(pid) -> where the time of a process that is away has gone since it left, or null: it has no stub.
Napi::Value CallTimesOf(const Napi::CallbackInfo &info);

/// tellRoom(pid, seconds) -> whether a process that is away was told that for so long home has no memory for it; 0: it has.
Napi::Value TellRoom(const Napi::CallbackInfo &info);
/// tellStopped(pid, stopped) -> whether the guest of a process that is away was told that it stands still, or goes on.
Napi::Value TellStopped(const Napi::CallbackInfo &info);

/// groupUsages(Int32Array) -> Float64Array: microseconds of processor time that control groups have used, by descriptors of their cpu.stat; NaN: not known.
Napi::Value GroupUsages(const Napi::CallbackInfo &info);

/// trim(): gives the system the memory back that this process does not use now.
Napi::Value Trim(const Napi::CallbackInfo &info);

/// sendDatagram(address, text): to a unix datagram socket, for which Node has nothing; an address that begins with @ is an abstract one.
Napi::Value SendDatagram(const Napi::CallbackInfo &info);

}  // namespace mosrun::addon
