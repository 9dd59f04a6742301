/** What the balancer is told of this node's processes: who there is, where they are and what they have used. */
import type { Bounds, Resident, Watched } from '../placement/index.js';
import {
  type Job,
  TICKS_PER_SECOND,
  hasEnded,
  innermostPid,
  movableBytes,
  readFacts,
  readTransfers,
  runnableThreads,
} from '../processes/index.js';
import { FROZEN } from '../shared/frozen.js';
import { readIfThere } from '../shared/files.js';
import type { ProcessUsage } from '../shared/wire.js';
import type { Context } from './context.js';
import type { Freezer } from './freezer.js';
import type { Residents } from './residents.js';

export interface WatchPorts {
  residents: Pick<Residents, 'jobs' | 'migrations' | 'isLaunching' | 'whereIs'>;
  freezer: Pick<Freezer, 'holds'>;
  /** What each process of this node's in those sessions on that node has used. */
  usages: (node: string, sessions: readonly string[]) => Promise<ProcessUsage[]>;
  bounds: (pid: number, abroad: boolean) => Bounds;
}

/** Where there are many, who has done something at home is not found out again when it has just been for the cleaner. */
const FRESH_SECONDS = 2;
const MANY = 256;

interface Seen {
  /** Where it is away; null: it is at home. */
  session: string | null;
  /** Its number as it has it itself. */
  inner: number | null;
  /** Of one that is away what home knows. */
  facts: Watched;
}

/** There may be thousands: what is asked of few of them is found out when it is asked. */
class Home implements Resident {
  /** What was seen of it, and what its job had used at home before; null: it did something then, or has since. */
  seen: (Seen & { usage: number }) | null = null;

  constructor(
    readonly pid: number,
    readonly job: Job,
    private readonly whyStays: (home: Home) => string | null,
    private readonly boundsOf: WatchPorts['bounds'],
  ) {}

  get stays(): string | null {
    return this.whyStays(this);
  }

  get decay(): number | null {
    return this.job.decay;
  }

  get pure(): boolean {
    return this.job.pure;
  }

  get memoryBytes(): number {
    return this.job.memory_bytes;
  }

  get bounds(): Bounds {
    return this.boundsOf(this.pid, this.job.abroad);
  }
}

const uptimeSeconds = (): number => Number((readIfThere('/proc/uptime') ?? '0').split(' ')[0]);

export class Watch {
  /** By the numbers of jobs; their processes change seldom. */
  private listed = new Map<number, { processes: readonly number[]; homes: Home[] }>();
  private present = new Map<number, Home>();

  constructor(
    private readonly context: Context,
    private readonly ports: WatchPorts,
  ) {}

  residents(): Resident[] {
    const { jobs } = this.ports.residents;
    const all = jobs.all();
    jobs.refresh(all.length > MANY ? FRESH_SECONDS : 0);
    const listed: typeof this.listed = new Map();
    const present: typeof this.present = new Map();
    for (const job of all) {
      const processes = jobs.lastProcesses(job);
      const known = this.listed.get(job.number);
      const kept =
        known?.processes === processes
          ? known
          : { processes, homes: processes.map((pid) => this.homeOf(pid, job, known?.homes)) };
      listed.set(job.number, kept);
      for (const home of kept.homes) present.set(home.pid, home);
    }
    this.listed = listed;
    this.present = present;
    return [...present.values()];
  }

  private homeOf(pid: number, job: Job, known: readonly Home[] = []): Home {
    const whyStays = (home: Home): string | null => this.whyStays(home);
    return known.find((one) => one.pid === pid) ?? new Home(pid, job, whyStays, this.ports.bounds);
  }

  private whyStays({ pid, job }: Home): string | null {
    if (this.ports.freezer.holds(pid)) return 'it is frozen';
    return job.locked ? 'it is locked (-L)' : this.context.settings.whyOwnStay;
  }

  /** At home the kernel knows; of those away their nodes are asked, each once for all. */
  async sample(pids: readonly number[]): Promise<Map<number, Watched>> {
    const uptime = uptimeSeconds();
    const samples = new Map<number, Watched>();
    const away = new Map<string, { pid: number; session: string; inner: number | null; facts: Watched }[]>();
    for (const pid of pids) {
      const home = this.present.get(pid);
      const seen = home && (this.asBefore(home) ?? this.look(home, uptime));
      if (!seen) continue;
      const { session, inner, facts } = seen;
      if (session === null) {
        samples.set(pid, facts);
        continue;
      }
      const there = away.get(facts.place) ?? [];
      away.set(facts.place, there);
      there.push({ pid, session, inner, facts });
    }
    const asked = [...away].map(async ([node, all]) => {
      const sessions = [...new Set(all.map(({ session }) => session))];
      // One that does not answer is no reason to know nothing of the others.
      const usages = await this.ports.usages(node, sessions).catch(() => []);
      const byName = new Map(usages.map((one) => [`${one.session} ${one.pid}`, one]));
      for (const { pid, session, inner, facts } of all) {
        const usage = byName.get(`${session} ${inner}`);
        if (!usage) continue;
        const { runnable, memory_bytes: memoryBytes, user_seconds: cpuSeconds } = usage;
        samples.set(pid, { ...facts, cpuSeconds, runnable, memoryBytes });
      }
    });
    await Promise.all(asked);
    return samples;
  }

  /** What was seen of one that has done nothing at home since; null: it is to be looked at. */
  private asBefore(home: Home): Seen | null {
    const { jobs, migrations } = this.ports.residents;
    if (home.seen?.usage !== jobs.usageOf(home.job) || migrations.isMoving(home.pid)) home.seen = null;
    if (!home.seen) return null;
    const { session, inner, facts } = home.seen;
    const atSeconds = this.context.clock.seconds();
    return { session, inner, facts: { ...facts, atSeconds, ageSeconds: facts.ageSeconds + atSeconds - facts.atSeconds } };
  }

  /** null: it has ended, or cannot be moved, since it is stopped or is not its program yet. */
  private look(home: Home, uptime: number): Seen | null {
    const { own, clock } = this.context;
    const { residents } = this.ports;
    const { pid, job } = home;
    const usage = residents.jobs.usageOf(job);
    const facts = readFacts(pid);
    if (!facts || hasEnded(facts) || facts.state === 'T' || residents.isLaunching(pid)) return null;
    const { node, session, inspection } = residents.whereIs(pid);
    if (node === FROZEN) return null;
    const { startTime } = facts;
    const runnable = runnableThreads(facts);
    const common = {
      atSeconds: clock.seconds(),
      startTime,
      ageSeconds: Math.max(0, uptime - Number(startTime) / TICKS_PER_SECOND),
      place: node ?? own.name,
    };
    const isAway = node !== null && session !== null;
    const counted = isAway
      ? {
          // Its node tells these.
          cpuSeconds: 0,
          runnable: 0,
          memoryBytes: 0,
          runnableAtHome: runnable,
          calls: inspection?.calls ?? 0,
          bytes: (inspection?.bytesOut ?? 0) + (inspection?.bytesIn ?? 0),
        }
      : {
          cpuSeconds: facts.cpuSeconds,
          runnable,
          memoryBytes: movableBytes(pid),
          runnableAtHome: 0,
          ...readTransfers(pid),
        };
    const seen: Seen = {
      session: isAway ? session : null,
      inner: isAway ? innermostPid(pid) : null,
      facts: { ...common, ...counted },
    };
    const isSettled = inspection === null || inspection.state === 'away' || inspection.state === 'home';
    if (runnable === 0 && isSettled && !residents.migrations.isMoving(pid)) home.seen = { ...seen, usage };
    return seen;
  }
}
