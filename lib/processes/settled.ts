/** What became of a move whose mover died: the two halves of the process settle it between them, within bounds of their own. */
import type { MoveDone, MoveFailed } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import { isPresent } from './identity.js';
import type { MoverRecord } from './mover-records.js';
import type { Finder } from './whereabouts.js';

export interface SettledPorts {
  self: string;
  clock: Clock;
  finder: Finder;
  settings: () => { timeoutSeconds: number };
}

const LOOK_SECONDS = 0.05;
const underWay = new Set(['leaving', 'returning', 'moving']);

/** Waits until the process is neither leaving nor returning; done if it is where it was to go, else the failure that was told. */
export async function settled(ports: SettledPorts, record: MoverRecord, failed: MoveFailed): Promise<MoveDone | MoveFailed> {
  const { clock, finder, self, settings } = ports;
  const { pid, from, to, began } = record;
  const until = clock.seconds() + settings().timeoutSeconds;
  let found = finder.find(pid);
  while (found.inspection && underWay.has(found.inspection.state) && clock.seconds() < until) {
    await new Promise<void>((resolve) => void clock.after(LOOK_SECONDS, resolve));
    found = finder.find(pid);
  }
  if (!isPresent(record) || (found.node ?? self) !== to) return failed;
  return {
    event: 'done',
    pid,
    from,
    to,
    freeze_seconds: found.inspection?.freezeSeconds ?? 0,
    total_seconds: clock.wallSeconds() - began,
    bytes: 0,
    pages: 0,
    threads: 0,
  };
}
