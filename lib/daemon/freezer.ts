/**
 * Frozen processes: each is kept by a small helper of mosgate's with its memory in a file, and is for its deputy on a node like any other. So it
 * is frozen and thawed by moves; here is what is known of each while it is there.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import type { GateEvent, GateSession, LinkOrder } from '../engine/index.js';
import { type Identity, type SessionGrant, identityOf } from '../processes/index.js';
import { MosrunError } from '../shared/errors.js';
import { makeDirectory, namesIn, readJson, removeFile, writeAtomically } from '../shared/files.js';
import type { LinkRequest, SessionUsage } from '../shared/wire.js';
import { imagesOf } from './configuration.js';
import type { Context } from './context.js';

const frozenRecord = z.object({
  version: z.literal(1),
  session: z.string(),
  pid: z.int(),
  start_time: z.string(),
  boot_id: z.string(),
  /** Seconds since 1970. */
  at: z.number(),
  /** What it takes when it runs again. */
  memory_bytes: z.number(),
  /** Somebody has ordered it: it is not thawed by itself. */
  held: z.boolean(),
  encrypted: z.boolean(),
});
export type FrozenRecord = z.infer<typeof frozenRecord>;

export interface FreezerPorts {
  gate: {
    freeze(session: string, token: string, directory: string, encrypted: boolean): Promise<void>;
    kill(session: string): Promise<void>;
    /** null: there is nobody to ask now. */
    list(): Promise<GateSession[] | null>;
  };
  link: (order: Pick<LinkOrder, 'guest'> & LinkRequest) => Promise<void>;
}

export class Freezer {
  private readonly records = new Map<string, FrozenRecord>();

  /** For records, one a session. */
  private readonly directory: string;

  constructor(
    private readonly context: Context,
    private readonly ports: FreezerPorts,
  ) {
    this.directory = context.runtime('frozen');
  }

  load(): void {
    for (const name of namesIn(this.directory)) {
      const file = path.join(this.directory, name);
      const parsed = frozenRecord.safeParse(readJson(file));
      if (parsed.success) this.records.set(parsed.data.session, parsed.data);
      else removeFile(file);
    }
  }

  /** Makes room for one of this node's processes. @param held it is not to be thawed by itself. */
  async open(
    pid: number,
    memoryBytes: number,
    encrypted: boolean,
    held: boolean,
  ): Promise<Omit<SessionGrant, 'seal' | 'ordinary'>> {
    const { own, clock, configuration } = this.context;
    const present: Identity | null = identityOf(pid);
    if (!present) throw new MosrunError('not-found', `process ${pid} has ended: nothing to freeze`);
    const images = imagesOf(configuration());
    makeDirectory(images, 0o700);
    const session = randomBytes(8).toString('hex');
    const token = randomBytes(32).toString('hex');
    await this.ports.gate.freeze(session, token, images, encrypted);
    this.write({ version: 1, session, ...present, at: clock.wallSeconds(), memory_bytes: memoryBytes, held, encrypted });
    // It comes over this node's own data port.
    return { session, token, address: own.address, port: own.dataPort };
  }

  /** It has come, with so much of memory. */
  arrived(session: string, memoryBytes: number): void {
    const record = this.records.get(session);
    if (record) this.write({ ...record, memory_bytes: memoryBytes });
  }

  /** Is nothing frozen, nor on its way to or from there? */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** How many are frozen, or on their way to or from there. */
  get count(): number {
    return this.records.size;
  }

  /** Is the process of that number frozen, or on its way? */
  holds(pid: number): boolean {
    return [...this.records.values()].some((one) => one.pid === pid);
  }

  /** What is kept of the process in that session. */
  find(session: string | null): FrozenRecord | null {
    return (session === null ? undefined : this.records.get(session)) ?? null;
  }

  /** As a hosting node would tell of its guest. */
  usage(session: string): SessionUsage {
    const record = this.find(session);
    const { memory_bytes = null, encrypted = false } = record ?? {};
    return { running: record !== null, cpu_seconds: 0, memory_bytes, threads: null, encrypted };
  }

  /** Gives the process in that session a channel to the node it is to go to. */
  link(session: string, request: LinkRequest): Promise<void> {
    return this.ports.link({ guest: session, ...request });
  }

  drop(session: string): void {
    this.forget(session);
    void this.ports.gate.kill(session).catch(() => {});
  }

  onEvent({ event, session, state }: GateEvent): void {
    if (event === 'session' && session !== undefined && state === 'ended') this.forget(session);
  }

  /** Those whose end nobody heard of go too. */
  async refresh(): Promise<void> {
    const known = [...this.records.keys()];
    if (known.length === 0) return;
    const present = await this.ports.gate.list();
    if (!present) return;
    const sessions = new Set(present.map(({ session }) => session));
    for (const session of known) if (!sessions.has(session)) this.forget(session);
  }

  private write(record: FrozenRecord): void {
    this.records.set(record.session, record);
    writeAtomically(path.join(this.directory, `${record.session}.json`), JSON.stringify(record));
  }

  private forget(session: string): void {
    if (this.records.delete(session)) removeFile(path.join(this.directory, `${session}.json`));
  }
}
