import { createRequire } from 'node:module';
import path from 'node:path';

export interface PeerCredentials {
  pid: number;
  uid: number;
  gid: number;
}

export interface CpuFeatures {
  /** Equal hashes: what was built for one processor runs on the other. */
  hash: string;
  xcr0: string;
  xsaveBytes: number;
  registers: string;
}

export interface KernelProbe {
  name: string;
  ok: boolean;
  detail: string;
}

/** What its stub tells about a process that is or was away. */
export interface Inspection {
  state: 'home' | 'leaving' | 'away' | 'returning' | 'moving';
  /** Address of the stub. */
  base: string;
  session: string;
  /** Data port of the hosting node. */
  address: string;
  port: number;
  encrypted: boolean;
  migrations: number;
  /** Of the last move. */
  freezeSeconds: number;
  /** Of its memory, gone ahead in the move that is under way: of a guest to where it goes, of a process that is away home. */
  aheadBytes: number;
  /** Calls carried out at home for it, and what they carried to the guest and from it. */
  calls: number;
  bytesOut: number;
  bytesIn: number;
  /** The call that last brought it home; null: an order did, or nothing. */
  lastReturn: string | null;
  /** The call that it is to come home for, while it waits for memory there. */
  waitsFor: string | null;
  returns: Record<string, number>;
  /** How often each call was not served, and failed. */
  refused: Record<string, number>;
}

/** The least that has to be known of a process that is away, again and again. */
export interface Glance {
  state: 'home' | 'leaving' | 'away' | 'returning' | 'moving';
  /** Of its first thread, as proc(5) has it; `Z`: that has ended, which says nothing of the others. */
  letter: string;
  /** Who traces it; 0: nobody. */
  tracer: number;
}

/** Calls of one kind; `seconds` at the hosting node, from the call to its result, `homeSeconds` of them at home. */
export interface CallTimes {
  calls: number;
  bytes: number;
  seconds: number;
  homeSeconds: number;
}

/** Since the process left, and up to the last request of each of its threads. */
export interface TimesByCall {
  /** Those for which home was asked, by name. */
  byCall: Record<string, CallTimes>;
  /** Those answered away, without a word to home. */
  answered: CallTimes;
  /** What was read ahead: requests, and home's work on them. */
  ahead: CallTimes;
}

export interface Addon {
  peerCredentials(descriptor: number): PeerCredentials;
  /** Seconds that a packet and its acknowledgement take at least on a TCP connection; 0: not measured yet. */
  roundTrip(descriptor: number): number;
  cpuFeatures(): CpuFeatures;
  probeKernel(): KernelProbe[];
  /** null: it has no stub, so it is at home. */
  inspect(pid: number): Inspection | null;
  /** null: it has no stub, so it is at home. */
  look(pid: number): Glance | null;
  /** null: it has no stub, so it is at home. */
  callTimes(pid: number): TimesByCall | null;
  /** Tells the guest of a process that is away to stand still, or to go on; false when it is not away. */
  /** For so long its home has no memory for a process that is away to come back with; 0: it has. False: it is not away. */
  tellRoom(pid: number, seconds: number): boolean;
  tellStopped(pid: number, stopped: boolean): boolean;
  /** Processor time that control groups have used, in microseconds, by descriptors of their cpu.stat; NaN: not known. */
  groupUsages(descriptors: Int32Array): Float64Array;
  /** Gives the system the memory back that this process does not use now. */
  trim(): void;
  /** To a unix datagram socket; an address that begins with @ is an abstract one. Throws what the system says. */
  sendDatagram(address: string, text: string): void;
}

/** @param libexec the directory of the helpers, of which the addon is one. */
export function loadAddon(libexec: string): Addon {
  const file = path.resolve(libexec, 'mosrun.node');
  return createRequire(file)(file) as Addon;
}
