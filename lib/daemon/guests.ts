/** The processes of other nodes that visit this one: who they are is kept beside what mosgate knows, so that a restarted daemon can say. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import type { GateEvent, GateSession } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import type { GuestDocument } from '../shared/documents.js';
import { namesIn, readJson, removeFile, writeAtomically } from '../shared/files.js';
import type { SessionAnswer, SessionRequest } from '../shared/wire.js';

const guestRecord = z.object({
  version: z.literal(1),
  session: z.string(),
  home: z.string(),
  home_pid: z.int(),
  command: z.string(),
  uid: z.int(),
  opened: z.number(),
});
type GuestRecord = z.infer<typeof guestRecord>;

/** mosgate forgets a session that nobody has come for after 30 s; ours stays a little longer. */
const EXPIRY_SECONDS = 40;

export interface Gate {
  open(session: string, token: string, memoryBytes: number): Promise<void>;
  kill(session: string): Promise<void>;
  list(): Promise<GateSession[]>;
}

export class Guests {
  private readonly records = new Map<string, GuestRecord>();

  constructor(
    private readonly directory: string,
    private readonly gate: Gate,
    private readonly clock: Clock,
  ) {}

  load(): void {
    for (const name of namesIn(this.directory)) {
      const file = path.join(this.directory, name);
      const parsed = guestRecord.safeParse(readJson(file));
      if (parsed.success) this.records.set(parsed.data.session, parsed.data);
      else removeFile(file);
    }
  }

  /** Those that are here or have been promised a place. */
  get count(): number {
    return this.records.size;
  }

  async open(request: SessionRequest, address: string, port: number): Promise<SessionAnswer> {
    const session = randomBytes(8).toString('hex');
    const token = randomBytes(32).toString('hex');
    await this.gate.open(session, token, request.memory_bytes);
    const { home, pid, command, uid } = request;
    const record: GuestRecord = { version: 1, session, home, home_pid: pid, command, uid, opened: this.clock.wallSeconds() };
    this.records.set(session, record);
    writeAtomically(path.join(this.directory, `${session}.json`), JSON.stringify(record));
    return { session, token, address, port };
  }

  /** Only its own home may take a session back. */
  async drop(home: string, session: string): Promise<boolean> {
    if (this.records.get(session)?.home !== home) return false;
    this.forget(session);
    // It may have ended by itself in between.
    return this.gate.kill(session).then(
      () => true,
      () => false,
    );
  }

  onEvent(event: GateEvent): void {
    if (event.event === 'session' && event.state === 'ended' && event.session) this.forget(event.session);
  }

  private forget(session: string): void {
    this.records.delete(session);
    removeFile(path.join(this.directory, `${session}.json`));
  }

  async list(): Promise<GuestDocument[]> {
    const present = await this.gate.list();
    const sessions = new Set(present.map((one) => one.session));
    for (const record of this.records.values()) {
      if (!sessions.has(record.session) && this.clock.wallSeconds() - record.opened > EXPIRY_SECONDS) this.forget(record.session);
    }
    return present.map((one) => {
      const record = this.records.get(one.session);
      return {
        session: one.session,
        home: record?.home ?? null,
        home_pid: record?.home_pid ?? one.home_pid,
        pid: one.pid > 0 ? one.pid : null,
        command: record?.command ?? '',
        uid: record?.uid ?? null,
        state: one.state,
        cpu_seconds: one.cpu_seconds,
        memory_bytes: one.rss_bytes,
        threads: one.threads,
      };
    });
  }

  /** Brings the count in line with what mosgate has. */
  async refresh(): Promise<void> {
    await this.list();
  }
}
