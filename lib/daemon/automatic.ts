/** Gives the balancer what it decides by, and carries out what it decides. */
import {
  Balancer,
  type Candidate,
  type Decision,
  type Links,
  type Resident,
  type Watched,
  type Bounds,
  bestOther,
  bestStart,
  placesFor,
} from '../placement/index.js';
import { type Membership, type NodeView, clusterOf } from '../cluster/index.js';
import {
  TICKS_PER_SECOND,
  hasEnded,
  innermostPid,
  movableBytes,
  privilegesOf,
  readFacts,
  readTransfers,
  runnableThreads,
} from '../processes/index.js';
import type { BestNodeDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import { readIfThere } from '../shared/files.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import type { ProcessUsage } from '../shared/wire.js';
import type { Clusters } from './clusters.js';
import type { Context } from './context.js';
import type { Freezer } from './freezer.js';
import type { Residents } from './residents.js';

export interface AutomaticPorts {
  members: Membership;
  residents: Residents;
  links: Links;
  /** What each of this node's processes on that node has used. */
  usages: (node: string) => Promise<ProcessUsage[]>;
  clusters: Pick<Clusters, 'whyNotTo'>;
  freezer: Pick<Freezer, 'holds'>;
  random?: () => number;
}

const uptimeSeconds = (): number => Number((readIfThere('/proc/uptime') ?? '0').split(' ')[0]);

export class Automatic {
  readonly balancer: Balancer;
  private readonly random: () => number;

  constructor(
    private readonly context: Context,
    private readonly ports: AutomaticPorts,
  ) {
    const { clock, configuration, own, log } = context;
    const { members, links, residents, random = Math.random } = ports;
    this.random = random;
    this.balancer = new Balancer({
      self: own.name,
      clock,
      random,
      settings: () => {
        const { automatic, interval_seconds, residence_seconds } = configuration().placement;
        return { automatic, intervalSeconds: interval_seconds, residenceSeconds: residence_seconds };
      },
      latest: (most, names) => members.latest(most, names),
      linkTo: (node) => links.linkTo(node),
      whyBarred: (node) => this.whyBarred(node),
      residents: () => this.list(),
      sample: (pids) => this.sample(pids),
      isMoving: (pid) => residents.migrations.isMoving(pid),
      lastResort: FROZEN,
      cpuSeconds: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
      move: (pid, to, reason) => this.move(pid, to, reason),
      log: (message, facts) => {
        log.info(facts, message);
      },
    });
  }

  get isOn(): boolean {
    return this.context.configuration().placement.automatic;
  }

  /** What `[placement] allow` and `deny` say of a node: by its name, a label, or `@` and its cluster. */
  private whyBarred({ name, labels = [] }: NodeView): string | null {
    const { placement, cluster } = this.context.configuration();
    const { allow, deny } = placement;
    const words = new Set([
      name,
      ...labels,
      `@${clusterOf(name) ?? cluster}`,
      ...(clusterOf(name) === null ? [`${name}@${cluster}`] : []),
    ]);
    const denied = deny.find((word) => words.has(word));
    if (denied !== undefined) return `nothing is placed there: placement.deny has ${denied}`;
    return allow.length > 0 && !allow.some((word) => words.has(word))
      ? 'nothing is placed there: it is not in placement.allow'
      : null;
  }

  private bounds(pid: number, abroad: boolean): Bounds {
    // Of many nodes one may be asked about after another.
    let found: { rights: string | null } | null = null;
    const privileges = (): string | null => (found ??= { rights: privilegesOf(pid) }).rights;
    return { abroad, whyNotTo: (node, at) => this.ports.clusters.whyNotTo(node, { abroad, privileges, at }) };
  }

  /**
   * Where a program should start of which nothing is known but what memory it is expected to need.
   * @param launcher the process that is to become it, where that may go to other clusters.
   */
  best(memoryBytes: number, launcher: number | null = null): BestNodeDocument {
    const { own, clock } = this.context;
    const bounds = this.bounds(launcher ?? 0, launcher !== null);
    const found = bestStart(placesFor(this.balancer.survey(), bounds, own.name), {
      memoryBytes,
      home: own.name,
      random: this.random,
    });
    const why = this.context.settings.whyOwnStay;
    const stays = why === null ? {} : { to: own.name, reason: why };
    const decision = { at: clock.wallSeconds(), ...found, ...stays };
    return { version: DOCUMENT_VERSION, node: decision.to, decision };
  }

  /** Where a process that is at home is to go; throws when there is no other node for it. */
  out(pid: number): string {
    const { own } = this.context;
    const { to, candidates } = this.other(pid, own.name, this.balancer.survey(), 'order');
    if (to !== own.name) return to;
    const others = candidates.filter(({ node }) => node !== own.name);
    if (others.length === 0) throw new MosrunError('node-down', 'there is no other node: see mosctl nodes');
    const reasons = others.map(({ node, excluded }) => `${node}: ${excluded ?? 'no'}`).join('; ');
    throw new MosrunError('node-down', `no other node can take process ${pid}: ${reasons}`);
  }

  /** Where a process that has to leave a node is to go; null: home. */
  elsewhere(pid: number, from: string): string | null {
    const { own } = this.context;
    const { residents } = this.ports;
    const job = residents.jobs.jobOf(pid);
    if (!this.isOn || !job || job.locked || this.context.settings.whyOwnStay !== null) return null;
    const all = this.balancer.survey().map((one) => (one.name === from ? { ...one, excluded: 'it sends its guests away' } : one));
    const { to } = this.other(pid, from, all, 'leaving');
    return to === from || to === own.name ? null : to;
  }

  private other(pid: number, from: string, all: readonly Candidate[], trigger: 'order' | 'leaving'): Decision {
    const bounds = this.bounds(pid, this.ports.residents.jobs.jobOf(pid)?.abroad ?? false);
    return bestOther(placesFor(all, bounds, from), { from, need: this.balancer.seasonedNeed(pid), trigger, random: this.random });
  }

  private list(): Resident[] {
    const { jobs } = this.ports.residents;
    const nodeStays = this.context.settings.whyOwnStay;
    const found = new Map<number, Resident>();
    for (const job of jobs.all()) {
      const stays = job.locked ? 'it is locked (-L)' : nodeStays;
      for (const pid of jobs.processes(job)) {
        const { decay, pure, memory_bytes: memoryBytes } = job;
        found.set(pid, {
          pid,
          stays: this.ports.freezer.holds(pid) ? 'it is frozen' : stays,
          decay,
          pure,
          memoryBytes,
          bounds: this.bounds(pid, job.abroad),
        });
      }
    }
    return [...found.values()];
  }

  /** At home the kernel knows; of those away their nodes are asked, each once for all. */
  private async sample(pids: readonly number[]): Promise<Map<number, Watched>> {
    const { own, clock } = this.context;
    const { residents } = this.ports;
    const uptime = uptimeSeconds();
    const samples = new Map<number, Watched>();
    const away = new Map<
      string,
      { pid: number; session: string; there: Omit<Watched, 'runnable' | 'memoryBytes' | 'cpuSeconds'> }[]
    >();
    for (const pid of pids) {
      const facts = readFacts(pid);
      // One that is stopped, or is not its program yet, cannot be moved.
      if (!facts || hasEnded(facts) || facts.state === 'T' || residents.isLaunching(pid)) continue;
      const { node, session, inspection } = residents.whereIs(pid);
      if (node === FROZEN) continue;
      const ageSeconds = Math.max(0, uptime - Number(facts.startTime) / TICKS_PER_SECOND);
      const { startTime, cpuSeconds } = facts;
      const common = { atSeconds: clock.seconds(), place: node ?? own.name, startTime, ageSeconds };
      if (node === null || session === null) {
        const { calls, bytes } = readTransfers(pid);
        samples.set(pid, {
          ...common,
          cpuSeconds,
          runnable: runnableThreads(facts),
          runnableAtHome: 0,
          memoryBytes: movableBytes(pid),
          calls,
          bytes,
        });
        continue;
      }
      const calls = inspection?.calls ?? 0;
      const bytes = (inspection?.bytesOut ?? 0) + (inspection?.bytesIn ?? 0);
      const there = away.get(node) ?? [];
      away.set(node, there);
      there.push({ pid, session, there: { ...common, runnableAtHome: runnableThreads(facts), calls, bytes } });
    }
    const asked = [...away].map(async ([node, all]) => {
      // One that does not answer is no reason to know nothing of the others.
      const usages = await this.ports.usages(node).catch(() => []);
      const byName = new Map(usages.map((one) => [`${one.session} ${one.pid}`, one]));
      for (const { pid, session, there } of all) {
        const usage = byName.get(`${session} ${innermostPid(pid)}`);
        if (!usage) continue;
        const { runnable, memory_bytes: memoryBytes, user_seconds: cpuSeconds } = usage;
        samples.set(pid, { ...there, cpuSeconds, runnable, memoryBytes });
      }
    });
    await Promise.all(asked);
    return samples;
  }

  private async move(pid: number, to: string, reason: string): Promise<{ seconds: number }> {
    const { residents, links } = this.ports;
    const job = residents.jobs.jobOf(pid);
    if (!job) throw new Error(`process ${pid} has ended`);
    const { total_seconds: seconds, bytes, from } = await residents.migrations.order(pid, to, job, reason, true);
    links.sent(to === this.context.own.name ? from : to, bytes, seconds);
    return { seconds };
  }
}
