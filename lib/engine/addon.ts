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

export interface Addon {
  peerCredentials(descriptor: number): PeerCredentials;
  cpuFeatures(): CpuFeatures;
  probeKernel(): KernelProbe[];
}

/** @param libexec the directory of the helpers, of which the addon is one. */
export function loadAddon(libexec: string): Addon {
  const file = path.resolve(libexec, 'mosrun.node');
  return createRequire(file)(file) as Addon;
}
