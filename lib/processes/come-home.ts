/** Returns that no mover made: only the stub knows of them, and it is soon gone. */
import type { Clock } from '../shared/clock.js';
import type { HistoryBook } from './history.js';
import type { Finder } from './whereabouts.js';

export interface ComeHomePorts {
  self: string;
  finder: Finder;
  history: HistoryBook;
  clock: Clock;
}

/** Keeps, once, that the process came home by itself, and for what. To be called before the stub is taken out or replaced. */
export function noteComeHome({ self, finder, history, clock }: ComeHomePorts, pid: number): void {
  const record = history.read(pid);
  const { inspection } = finder.find(pid);
  // What was forked away was sent by nobody: it has no history.
  if (!record || inspection?.state !== 'home' || !inspection.lastReturn || record.counted_session === inspection.session) return;
  const { lastReturn: cause, session, freezeSeconds } = inspection;
  history.addComeHome(pid, session, cause, {
    at: clock.wallSeconds(),
    from: record.entries.findLast((one) => one.outcome === 'done')?.to ?? self,
    to: self,
    outcome: 'done',
    reason: `came home for ${cause}`,
    code: null,
    message: null,
    freeze_seconds: freezeSeconds,
    total_seconds: null,
    bytes: null,
    dirty_bytes_per_second: null,
  });
}
