/** The processes that live here, wherever they run. */
import type { Inspection } from '../engine/index.js';
import type { ProcessDocument } from '../shared/documents.js';
import type { HistoryBook, ProcessRecord } from './history.js';
import type { Job, JobBook } from './jobs.js';
import type { Migrations } from './migrations.js';
import type { Finder } from './whereabouts.js';
import { FROZEN } from '../shared/frozen.js';
import { hasEnded, readCommand, readFacts, readUids, userName } from './proc.js';

/** What keeps it from moving, as far as it is known without asking the engine. */
function why(
  record: ProcessRecord | null,
  inspection: Inspection | null,
  isHome: boolean,
  job: Job,
  nodeStays: string | null,
): string | null {
  if (inspection?.waitsFor) return `waits for memory at home, to come there for ${inspection.waitsFor}`;
  if (record?.last_failure) return record.last_failure;
  const cause = inspection?.lastReturn || record?.came_home_for;
  if (isHome && cause) return `it came home for ${cause}`;
  return job.locked ? 'locked (-L): moves only when ordered' : isHome ? nodeStays : null;
}

export interface TablePorts {
  self: string;
  jobs: JobBook;
  finder: Finder;
  history: HistoryBook;
  migrations: Migrations;
  /** Why processes of this node do not leave by themselves; null when they do. */
  whyOwnStay: () => string | null;
}

export class ProcessTable {
  constructor(private readonly ports: TablePorts) {}

  list(): ProcessDocument[] {
    this.ports.jobs.sweep();
    return this.ports.jobs
      .all()
      .flatMap((job) => this.ports.jobs.processes(job).map((pid) => this.describe(pid, job)))
      .filter((one) => one !== null)
      .sort((one, other) => one.pid - other.pid);
  }

  /** One of our processes; null when there is none of that number, or it was not started by mosrun. */
  find(pid: number): ProcessDocument | null {
    const job = this.ports.jobs.jobOf(pid);
    return job && this.describe(pid, job);
  }

  private describe(pid: number, job: Job): ProcessDocument | null {
    const { self, finder, history, migrations } = this.ports;
    const facts = readFacts(pid);
    const uids = readUids(pid);
    if (!facts || !uids || hasEnded(facts)) return null;
    const { node, since, inspection } = finder.find(pid);
    const record = history.read(pid);
    const stopped = facts.state === 'T';
    const isFrozen = node === FROZEN;
    const there = isFrozen ? 'frozen' : node ? 'away' : 'running';
    const state = migrations.isMoving(pid) ? 'moving' : stopped ? 'stopped' : there;
    // Away, the memory that held the command line has left with the rest.
    // What was forked away has the command line of its parent.
    const inherited = node && !record ? history.read(facts.parentPid)?.command : undefined;
    const command =
      (node ? record?.command : readCommand(pid)) || record?.command || readCommand(pid) || inherited || `[${facts.name}]`;
    return {
      pid,
      parent_pid: facts.parentPid,
      command,
      user: userName(uids.real),
      uid: uids.real,
      home: self,
      where: isFrozen ? self : (node ?? self),
      state,
      // Those that no mover made (home for a call) only the stub has counted.
      migrations: Math.max(record?.migrations ?? 0, inspection?.migrations ?? 0),
      last_freeze_seconds: inspection?.freezeSeconds || (record?.last_freeze_seconds ?? null),
      dirty_bytes_per_second: record?.dirty_bytes_per_second ?? null,
      why: why(record, inspection, node === null, job, this.ports.whyOwnStay()),
      job: job.id,
      job_number: job.number,
      locked: job.locked,
      clock: job.clock,
      threads: facts.threads,
      cpu_seconds: facts.cpuSeconds,
      memory_bytes: facts.memoryBytes,
      since,
      calls: inspection?.calls ?? 0,
      bytes_out: inspection?.bytesOut ?? 0,
      bytes_in: inspection?.bytesIn ?? 0,
      returns: inspection?.returns ?? {},
      unserved: job.unserved,
      read_ahead: job.read_ahead,
      write_behind: job.write_behind,
      awake: job.awake,
      lazy: job.lazy,
      refused: inspection?.refused ?? {},
      encrypted: node !== null && !isFrozen && (inspection?.encrypted ?? false),
      abroad: job.abroad,
      class: job.freezing_class,
    };
  }
}
