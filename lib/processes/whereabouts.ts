/**
 * Where a process is. Its mover's state file says where it went; whether it is still there only the process itself can tell: it may have
 * come home without any mover (for a call that cannot be served away, or by execve), and a child born away has no file at all.
 */
import type { Inspection } from '../engine/index.js';
import type { AwayFiles, AwayState } from './away-files.js';

export interface Whereabouts {
  /** Name of the node; null at home. */
  node: string | null;
  /** Seconds since 1970 at which it went there; null where that is not known. */
  since: number | null;
  /** Of its stay there; null at home. */
  session: string | null;
  inspection: Inspection | null;
}

export interface WhereaboutsPorts {
  away: AwayFiles;
  inspect: (pid: number) => Inspection | null;
  /** Name of the node with this data port; null when no node of ours has it. */
  nodeAt: (address: string, port: number) => string | null;
}

/** A mover that cannot say where the control page is writes 0: then its file alone is believed. */
const isBlind = (file: AwayState): boolean => BigInt(file.control) === 0n;

const isAwayState = (state: Inspection['state']): boolean => state === 'away' || state === 'returning' || state === 'moving';

export class Finder {
  constructor(private readonly ports: WhereaboutsPorts) {}

  find(pid: number): Whereabouts {
    const { away, inspect, nodeAt } = this.ports;
    const file = away.read(pid);
    if (file && isBlind(file)) return { node: file.node, since: file.since, session: file.session, inspection: null };
    const inspection = inspect(pid);
    if (!inspection || !isAwayState(inspection.state)) return { node: null, since: null, session: null, inspection };
    const { session } = inspection;
    if (file && file.session === session) return { node: file.node, since: file.since, session, inspection };
    const node = nodeAt(inspection.address, inspection.port) ?? file?.node ?? inspection.address;
    return { node, since: file?.since ?? null, session, inspection };
  }
}
