/** The processes that live here, wherever they run. */
import type { ProcessDocument } from '../shared/documents.js';
import type { AwayFiles } from './away-files.js';
import type { HistoryBook } from './history.js';
import type { Job, JobBook } from './jobs.js';
import type { Migrations } from './migrations.js';
import { readCommand, readFacts, readUids, userName } from './proc.js';

export interface TablePorts {
  self: string;
  jobs: JobBook;
  away: AwayFiles;
  history: HistoryBook;
  migrations: Migrations;
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
    const { self, away, history, migrations } = this.ports;
    const facts = readFacts(pid);
    const uids = readUids(pid);
    if (!facts || !uids || facts.state === 'Z' || facts.state === 'X') return null;
    const gone = away.read(pid);
    const record = history.read(pid);
    const stopped = facts.state === 'T';
    const state = migrations.isMoving(pid) ? 'moving' : stopped ? 'stopped' : gone ? 'away' : 'running';
    // Away, the memory that held the command line has left with the rest.
    const command = (gone ? record?.command : readCommand(pid)) || record?.command || readCommand(pid) || `[${facts.name}]`;
    return {
      pid,
      parent_pid: facts.parentPid,
      command,
      user: userName(uids.real),
      uid: uids.real,
      home: self,
      where: gone?.node ?? self,
      state,
      migrations: record?.migrations ?? 0,
      last_freeze_seconds: record?.last_freeze_seconds ?? null,
      why: record?.last_failure ?? (job.locked ? 'locked (-L): moves only when ordered' : null),
      job: job.id,
      job_number: job.number,
      locked: job.locked,
      clock: job.clock,
      threads: facts.threads,
      cpu_seconds: facts.cpuSeconds,
      memory_bytes: facts.memoryBytes,
      since: gone?.since ?? null,
    };
  }
}
