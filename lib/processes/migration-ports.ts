/** What migrations are given: who decides, who carries out, and where it is written down. */
import type { Engine } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import type { AskOnward, AskSession, DropSession } from './grants.js';
import type { HistoryBook } from './history.js';
import type { MoverRecords } from './mover-records.js';
import type { Finder } from './whereabouts.js';

interface MigrationSettings {
  /** Bound of a whole order. */
  timeoutSeconds: number;
  /** A mover that has outlived its own bound by so much hangs, and is killed: that leaves its process where it was. */
  graceSeconds: number;
  /** Whether memory may be compressed on its way. */
  compress: boolean;
  /** Whether what it leaves stays as long as nothing else needs the room. */
  keep: boolean;
}

export interface MigrationPorts {
  self: string;
  engine: Engine;
  askSession: AskSession;
  askOnward: AskOnward;
  dropSession: DropSession;
  finder: Finder;
  history: HistoryBook;
  records: MoverRecords;
  clock: Clock;
  settings: () => MigrationSettings;
  kill: (pid: number) => void;
  /** Is the process stopped, as by ^Z? */
  isStopped: (pid: number) => boolean;
  /** A process is about to be moved. */
  onStart: (pid: number, from: string, to: string, reason: string) => void;
  /** A process is about to be sent away. */
  onLeaving: (pid: number) => void;
  log: (message: string, facts: Record<string, unknown>) => void;
}
