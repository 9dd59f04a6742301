/** The processes of other nodes that visit this one: who they are is kept beside what mosgate knows, so that a restarted daemon can say. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import type { GateEvent, GateSession } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import type { GuestDocument } from '../shared/documents.js';
import type { EventFields } from '../shared/events.js';
import { namesIn, readJson, removeFile, writeAtomically } from '../shared/files.js';
import { MosrunError } from '../shared/errors.js';
import { hasEnded, innermostPid, readChildren, readFacts, runnableThreads } from '../processes/index.js';
import { sharersOf } from './sharers.js';
import type { SessionAnswer, SessionRequest, SessionUsage, ProcessUsage } from '../shared/wire.js';

const guestRecord = z.object({
  version: z.literal(1),
  session: z.string(),
  home: z.string(),
  home_pid: z.int(),
  command: z.string(),
  uid: z.int(),
  opened: z.number(),
  encrypted: z.boolean().default(false),
  /** Nobody has ordered it here. */
  automatic: z.boolean().default(false),
  /** Where its home was, and is asked if no list has it; port 0: not known. */
  home_address: z.string().default(''),
  home_port: z.int().default(0),
  /** When it ended, and the CPU time it used; null: not told, since nobody listened. Kept for a while, for its home to ask. */
  ended: z.object({ at: z.number(), cpu_seconds: z.number().nullable() }).nullable().default(null),
});
type GuestRecord = z.infer<typeof guestRecord>;

/** Its home asks when the stay is over; one that was cut off has a day. */
const ENDED_KEPT_SECONDS = 86_400;
/** One that has not come by then will not, or is too large for others to wait for it. */
const LONGEST_ARRIVAL_SECONDS = 5;
const CHECK_SECONDS = 15;
const CHECKED_PER_SECOND = 100;
/** Of ended ones. */
const MOST_KEPT = 2000;

export interface Gate {
  open(session: string, token: string, memoryBytes: number, encrypted: boolean, cache: string | null): Promise<void>;
  kill(session: string): Promise<void>;
  /** null: there is nobody to ask now. @param session that one alone. */
  list(session?: string): Promise<GateSession[] | null>;
  /** As `list`, without what they use, for which mosgate looks at each. */
  names(): Promise<Pick<GateSession, 'session' | 'state' | 'keeper' | 'frozen'>[] | null>;
}

export interface GuestsOptions {
  directory: string;
  gate: Gate;
  clock: Clock;
  /** A guest has begun to run here, or has gone after it had. */
  tell: (type: 'guest-arrived' | 'guest-left', guest: EventFields<'guest-arrived'>) => void;
  /** The cluster of a home, and its priority here. */
  clusterOf: (home: string) => { cluster: string; priority: number };
  /** Are system files kept here, once they have come? */
  keepsFiles: () => boolean;
}

export class Guests {
  private readonly arrived = new Set<string>();
  /** The process in whose hands each session is, as mosgate last said. */
  private readonly keepers = new Map<string, number>();
  /** The numbers that guests have in their own namespaces, which never change. */
  private readonly inner = new Map<string, { pid: number; startTime: string; inner: number }[]>();
  private readonly records = new Map<string, GuestRecord>();

  constructor(private readonly options: GuestsOptions) {}

  load(): void {
    for (const name of namesIn(this.options.directory)) {
      const file = path.join(this.options.directory, name);
      const parsed = guestRecord.safeParse(readJson(file));
      if (parsed.success) this.records.set(parsed.data.session, parsed.data);
      else removeFile(file);
    }
  }

  /** Those that are here or have been promised a place. */
  present(): Readonly<GuestRecord>[] {
    return [...this.records.values()].filter((one) => one.ended === null);
  }

  get count(): number {
    let count = 0;
    for (const { ended } of this.records.values()) if (ended === null) count++;
    return count;
  }

  /** One that is here, as events tell of it; null: there is none. */
  about(session: string): EventFields<'guest-arrived'> | null {
    const record = this.records.get(session);
    if (!record) return null;
    const { home, home_pid, uid, command } = record;
    return { session, home, home_pid, uid, command };
  }

  /** Where a home is that has guests here, as it last said; null: nobody knows. */
  addressOf(home: string): { address: string; port: number } | null {
    const record = [...this.records.values()].findLast((one) => one.home === home && one.home_port > 0);
    return record ? { address: record.home_address, port: record.home_port } : null;
  }

  /**
   * Of those that their homes send by themselves one comes at a time: they have all seen that there is room here, and not yet each other. Throws while
   * another is on its way.
   */
  checkHasTime(self: string): void {
    const now = this.options.clock.wallSeconds();
    const coming = [...this.records.values()].find(
      ({ session, automatic, ended, opened }) =>
        automatic && ended === null && !this.arrived.has(session) && now - opened < LONGEST_ARRIVAL_SECONDS,
    );
    if (coming)
      throw new MosrunError(
        'busy',
        `another process is on its way to ${self} already: it takes one at a time that comes by itself`,
      );
  }

  /**
   * @param encrypted also where its home does not ask for it.
   * @param from where its home can be asked.
   */
  async open(
    request: SessionRequest,
    address: string,
    port: number,
    encrypted: boolean,
    from: { address: string; port: number },
  ): Promise<SessionAnswer> {
    const session = randomBytes(8).toString('hex');
    const token = randomBytes(32).toString('hex');
    const cache = this.options.keepsFiles() ? sharersOf(request) : null;
    await this.options.gate.open(session, token, request.memory_bytes, encrypted, cache);
    const { home, pid, command, uid, automatic } = request;
    const record: GuestRecord = {
      version: 1,
      session,
      home,
      home_pid: pid,
      command,
      uid,
      opened: this.options.clock.wallSeconds(),
      encrypted,
      automatic,
      home_address: from.address.replace(/^::ffff:/, ''),
      home_port: from.port,
      ended: null,
    };
    this.write(record);
    return { session, token, address, port, encrypted };
  }

  /** Only its own home may take a session back. */
  async drop(home: string, session: string): Promise<boolean> {
    if (this.records.get(session)?.home !== home) return false;
    this.end(session, null);
    // It may have ended by itself in between.
    return this.options.gate.kill(session).then(
      () => true,
      () => false,
    );
  }

  onEvent(event: GateEvent): void {
    if (event.event !== 'session' || !event.session) return;
    if (event.state === 'running') {
      if (event.keeper && this.records.has(event.session)) this.keepers.set(event.session, event.keeper);
      this.arrive(event.session);
    }
    if (event.state === 'ended') this.end(event.session, event.cpu_seconds ?? null);
  }

  private arrive(session: string): void {
    const record = this.records.get(session);
    if (!record || record.ended || this.arrived.has(session)) return;
    this.arrived.add(session);
    this.tell('guest-arrived', record);
  }

  private tell(type: 'guest-arrived' | 'guest-left', { session }: GuestRecord): void {
    const guest = this.about(session);
    if (guest) this.options.tell(type, guest);
  }

  /** What it has used; only its own home may know. */
  async usage(home: string, session: string): Promise<SessionUsage> {
    const record = this.records.get(session);
    if (record?.home !== home) throw new MosrunError('not-found', `there is no session ${session} of ${home}`);
    const { encrypted } = record;
    const present = (await this.options.gate.list(session))?.find((one) => one.session === session);
    if (present) {
      const { cpu_seconds, rss_bytes: memory_bytes, threads } = present;
      return { running: true, cpu_seconds, memory_bytes, threads, encrypted };
    }
    const ended = this.records.get(session)?.ended;
    // Its end is known, and what it used is about to be told: to be asked for again.
    if (!ended) return { running: true, cpu_seconds: null, memory_bytes: null, threads: null, encrypted };
    // It has been told, and is asked for no more.
    this.forget(session);
    return { running: false, cpu_seconds: ended.cpu_seconds, memory_bytes: null, threads: null, encrypted };
  }

  /** What each process of that home that runs here has used. @param sessions of these alone; null: of all. */
  async usages(home: string, sessions: readonly string[] | null): Promise<ProcessUsage[]> {
    const asked = sessions?.flatMap((session) => this.records.get(session) ?? []) ?? this.present();
    const theirs = asked.filter((one) => one.home === home && one.ended === null && this.arrived.has(one.session));
    // One of before this daemon.
    if (theirs.some(({ session }) => !this.keepers.has(session)))
      for (const { session, keeper } of (await this.options.gate.names()) ?? [])
        if (keeper > 0) this.keepers.set(session, keeper);
    return theirs.flatMap(({ session }) => this.usagesIn(session));
  }

  private usagesIn(session: string): ProcessUsage[] {
    const before = this.inner.get(session) ?? [];
    const known: typeof before = [];
    const usages = readChildren(this.keepers.get(session) ?? 0).flatMap((pid): ProcessUsage[] => {
      const facts = readFacts(pid);
      if (!facts || hasEnded(facts)) return [];
      const { userSeconds: user_seconds, memoryBytes: memory_bytes, startTime } = facts;
      const same = before.find((one) => one.pid === pid && one.startTime === startTime);
      const inner = same?.inner ?? innermostPid(pid);
      if (inner === null) return [];
      known.push(same ?? { pid, startTime, inner });
      return [{ session, pid: inner, user_seconds, memory_bytes, runnable: runnableThreads(facts) }];
    });
    this.inner.set(session, known);
    return usages;
  }

  private write(record: GuestRecord): void {
    this.records.set(record.session, record);
    writeAtomically(path.join(this.options.directory, `${record.session}.json`), JSON.stringify(record));
  }

  private end(session: string, cpuSeconds: number | null): void {
    const record = this.records.get(session);
    if (!record) return;
    this.keepers.delete(session);
    this.inner.delete(session);
    if (this.arrived.delete(session)) this.tell('guest-left', record);
    // One that was dropped is told to have ended too, and then what it used.
    this.write({
      ...record,
      ended: { at: this.options.clock.wallSeconds(), cpu_seconds: cpuSeconds ?? record.ended?.cpu_seconds ?? null },
    });
    const ended = [...this.records.values()].filter((one) => one.ended !== null);
    if (ended.length > MOST_KEPT && ended[0]) this.forget(ended[0].session);
  }

  private forget(session: string): void {
    this.records.delete(session);
    removeFile(path.join(this.options.directory, `${session}.json`));
  }

  async list(): Promise<GuestDocument[]> {
    const present = await this.compare(() => this.options.gate.list());
    if (!present) return [];
    return present.map((one) => {
      const record = this.records.get(one.session);
      return {
        session: one.session,
        home: record?.home ?? null,
        cluster: record ? this.options.clusterOf(record.home).cluster : null,
        priority: record ? this.options.clusterOf(record.home).priority : null,
        home_pid: record?.home_pid ?? one.home_pid,
        pid: one.pid > 0 ? one.pid : null,
        command: record?.command ?? '',
        uid: record?.uid ?? null,
        state: one.state,
        cpu_seconds: one.cpu_seconds,
        memory_bytes: one.rss_bytes,
        threads: one.threads,
        encrypted: one.sealed === true,
      };
    });
  }

  /** Those that are here or on their way, as they count for who makes way for whom. */
  async visitors(): Promise<{ session: string; home: string; priority: number; memoryBytes: number; opened: number }[]> {
    // Mostly all are of the own cluster, and nobody need be asked.
    const memory = new Map(this.areOwn ? [] : (await this.list()).map(({ session, memory_bytes }) => [session, memory_bytes]));
    return this.present().map(({ session, home, opened }) => {
      const { priority } = this.options.clusterOf(home);
      return { session, home, priority, memoryBytes: memory.get(session) ?? 0, opened };
    });
  }

  /** Are all of the own cluster, or of others that are no worse? */
  get areOwn(): boolean {
    const homes = new Set<string>();
    for (const { home, ended } of this.records.values()) if (ended === null) homes.add(home);
    return [...homes].every((home) => this.options.clusterOf(home).priority === 0);
  }

  /** What mosgate says while nobody listens is made up for, now and again and again. */
  async start(): Promise<void> {
    await this.refresh().catch(() => {});
    this.options.clock.after(Math.max(CHECK_SECONDS, this.count / CHECKED_PER_SECOND), () => void this.start());
  }

  /** Brings the count in line with what mosgate has. */
  async refresh(): Promise<void> {
    await this.compare(() => this.options.gate.names());
  }

  /** What mosgate has, with which what is known here is brought in line. */
  private async compare<Session extends Pick<GateSession, 'session' | 'state' | 'frozen'>>(
    ask: () => Promise<Session[] | null>,
  ): Promise<Session[] | null> {
    const { clock } = this.options;
    const expected = [...this.records.values()];
    const present = (await ask())?.filter((one) => one.frozen !== true);
    if (!present) return null;
    const sessions = new Set(present.map((one) => one.session));
    for (const { session, ended } of expected) {
      if (ended && clock.wallSeconds() - ended.at > ENDED_KEPT_SECONDS) this.forget(session);
      // Known before it was asked, unknown to it: that one ended while nobody listened.
      if (!ended && !sessions.has(session)) this.end(session, null);
    }
    // What mosgate said while nobody listened.
    for (const one of present) if (one.state === 'running') this.arrive(one.session);
    return present;
  }
}
