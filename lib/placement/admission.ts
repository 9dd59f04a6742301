/** May a process come here? Asked by its home-node before anything is stopped; the answer is a reason, or none. */
import { MosrunError } from '../shared/errors.js';
import { megabytes } from '../shared/megabytes.js';
import { PROTOCOL_VERSION } from '../shared/version.js';
import type { SessionRequest } from '../shared/wire.js';

/** What a refusal is for; metrics count by it. */
export type RefusalReason =
  | 'protocol'
  | 'blocked'
  | 'trouble'
  | 'cluster'
  | 'privileged'
  | 'priority'
  | 'kernel'
  | 'processor'
  | 'pid-max'
  | 'guests'
  | 'grid-guests'
  | 'memory';

export class Refusal extends MosrunError {
  constructor(
    readonly reason: RefusalReason,
    host: string,
    pid: number,
    /** The cause alone, for where the node and the process are named already. */
    readonly why: string,
  ) {
    super('refused', `${host} does not take process ${pid}: ${why}`);
  }
}

export interface Host {
  name: string;
  blocked: boolean;
  /** Those that are leaving for a better one left out. */
  guests: number;
  maxGuests: number;
  memoryFreeBytes: number;
  /** Kept free for the node's own. */
  reserveBytes: number;
  kernel: string;
  cpuHash: string;
  pidMax: number;
  /** Why no process can be taken at all now (mosgate not running); null when all is well. */
  trouble: string | null;
  /** Why one of its cluster is not wanted now, or ever; null: it is. */
  unwanted: { reason: RefusalReason; why: string } | null;
}

const OLDEST_KERNEL = [5, 11] as const;

export function kernelIsTooOld(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return major < OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor < OLDEST_KERNEL[1]);
}

export function refusal(request: SessionRequest, host: Host): Refusal | null {
  const no = (reason: RefusalReason, why: string): Refusal => new Refusal(reason, host.name, request.pid, why);
  if (request.protocol !== PROTOCOL_VERSION) {
    return no(
      'protocol',
      `it speaks protocol ${PROTOCOL_VERSION}, ${request.home} speaks ${request.protocol}: install the same version of mosrun on both`,
    );
  }
  if (host.blocked) return no('blocked', 'it is blocked for guests: choose another node');
  if (host.trouble) return no('trouble', host.trouble);
  if (host.unwanted) return no(host.unwanted.reason, host.unwanted.why);
  if (kernelIsTooOld(host.kernel))
    return no('kernel', `its kernel ${host.kernel} is older than ${OLDEST_KERNEL.join('.')}: choose another node`);
  if (kernelIsTooOld(request.kernel))
    return no('kernel', `the kernel of ${request.home}, ${request.kernel}, is older than ${OLDEST_KERNEL.join('.')}`);
  if (request.cpu_hash !== host.cpuHash) {
    return no(
      'processor',
      `its processor differs from that of ${request.home}, where the program may have chosen its instructions: choose a node with equal processors`,
    );
  }
  // A guest's threads get the numbers they have at home.
  if (request.pid_max > host.pidMax) {
    return no(
      'pid-max',
      `its kernel.pid_max ${host.pidMax} is below the ${request.pid_max} of ${request.home}: raise it with sysctl`,
    );
  }
  if (host.guests >= host.maxGuests)
    return no('guests', `it has ${host.guests} guests, and takes ${host.maxGuests} at most: choose another node`);
  if (request.memory_bytes > host.memoryFreeBytes - host.reserveBytes) {
    return no(
      'memory',
      `it has ${megabytes(host.memoryFreeBytes)} free, of which ${megabytes(host.reserveBytes)} stay so; the process has ${megabytes(request.memory_bytes)}`,
    );
  }
  return null;
}
