/** What happened to each process, kept in a small file of its own so that a restarted daemon still knows it. */
import path from 'node:path';
import * as z from 'zod';
import { type HistoryEntry, historyEntry } from '../shared/documents.js';
import { namesIn, readJson, removeFile, writeAtomically } from '../shared/files.js';
import { type Identity, identity, identityOf, isPresent } from './identity.js';
import { readCommand } from './proc.js';

const LONGEST_HISTORY = 100;

const processRecord = identity.extend({
  version: z.literal(1),
  /** As it was at home: while a process is away its command line cannot be read, since the memory it lies in is gone. */
  command: z.string(),
  migrations: z.int(),
  last_freeze_seconds: z.number().nullable(),
  dirty_bytes_per_second: z.number().nullable().default(null),
  last_failure: z.string().nullable(),
  /** The call for which it came home by itself; null when an order moved it last. */
  came_home_for: z.string().nullable().default(null),
  /** The session that ended by itself last, which is counted once. */
  counted_session: z.string().nullable().default(null),
  entries: z.array(historyEntry),
  /** Stays away of which more may be heard, with the CPU time they had used when last asked about. */
  stays: z.array(z.object({ node: z.string(), session: z.string(), cpu_seconds: z.number() })).default([]),
  /** Of ended stays, by node; not complete: one ended without its last figure. */
  away_times: z.array(z.object({ node: z.string(), cpu_seconds: z.number(), complete: z.boolean() })).default([]),
});
export type ProcessRecord = z.infer<typeof processRecord>;

export class HistoryBook {
  /** @param onEntry told of each entry, and for what the process came home if it did so by itself. */
  constructor(
    private readonly directory: string,
    private readonly onEntry: (pid: number, entry: HistoryEntry, cause: string | null) => void = () => {},
  ) {}

  private file(pid: number): string {
    return path.join(this.directory, `${pid}.json`);
  }

  read(pid: number): ProcessRecord | null {
    const parsed = processRecord.safeParse(readJson(this.file(pid)));
    return parsed.success && isPresent(parsed.data) ? parsed.data : null;
  }

  /** To be called while the process is at home, before it goes. */
  rememberCommand(pid: number, command = readCommand(pid)): void {
    if (command === '') return;
    this.change(pid, (record) => {
      record.command = command;
    });
  }

  /** @param moves how many completed moves this entry stands for. */
  add(pid: number, entry: HistoryEntry, moves: number, cause: string | null = null): void {
    this.onEntry(pid, entry, cause);
    this.change(pid, (record) => {
      record.entries = [...record.entries, entry].slice(-LONGEST_HISTORY);
      record.migrations += moves;
      if (entry.outcome === 'done') {
        record.last_failure = null;
        record.came_home_for = null;
        record.last_freeze_seconds = entry.freeze_seconds ?? record.last_freeze_seconds;
        record.dirty_bytes_per_second = entry.dirty_bytes_per_second ?? record.dirty_bytes_per_second;
      } else {
        record.last_failure = entry.message;
      }
    });
  }

  /** It came home by itself, which no mover reports. */
  addComeHome(pid: number, session: string, cause: string, entry: HistoryEntry): void {
    this.add(pid, entry, 1, cause);
    this.change(pid, (record) => {
      record.came_home_for = cause;
      record.counted_session = session;
    });
  }

  beginStay(pid: number, node: string, session: string): void {
    this.change(pid, (record) => {
      if (!record.stays.some((one) => one.session === session)) record.stays.push({ node, session, cpu_seconds: 0 });
    });
  }

  /** @param cpuSeconds what it has used; null: not known, and then what was last heard stands. */
  tellStay(pid: number, session: string, cpuSeconds: number | null, ended: boolean): void {
    this.change(pid, (record) => {
      const stay = record.stays.find((one) => one.session === session);
      if (!stay) return;
      stay.cpu_seconds = cpuSeconds ?? stay.cpu_seconds;
      if (!ended) return;
      record.stays = record.stays.filter((one) => one !== stay);
      const before = record.away_times.find((one) => one.node === stay.node);
      record.away_times = record.away_times.filter((one) => one !== before);
      record.away_times.push({
        node: stay.node,
        cpu_seconds: stay.cpu_seconds + (before?.cpu_seconds ?? 0),
        complete: cpuSeconds !== null && (before?.complete ?? true),
      });
    });
  }

  private change(pid: number, edit: (record: ProcessRecord) => void): void {
    const present: Identity | null = identityOf(pid);
    if (!present) return;
    const record = this.read(pid) ?? {
      ...present,
      version: 1 as const,
      command: readCommand(pid),
      migrations: 0,
      last_freeze_seconds: null,
      dirty_bytes_per_second: null,
      last_failure: null,
      came_home_for: null,
      counted_session: null,
      entries: [],
      stays: [],
      away_times: [],
    };
    edit(record);
    writeAtomically(this.file(pid), JSON.stringify(record));
  }

  sweep(): void {
    for (const name of namesIn(this.directory)) {
      const file = path.join(this.directory, name);
      const parsed = processRecord.safeParse(readJson(file));
      if (!parsed.success || !isPresent(parsed.data)) removeFile(file);
    }
  }
}
