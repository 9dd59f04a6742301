/** Gives the balancer what it decides by, and carries out what it decides. */
import {
  Balancer,
  type Candidate,
  type Decision,
  type Links,
  type Bounds,
  bestOther,
  bestStart,
  placesFor,
} from '../placement/index.js';
import { type Membership, type NodeView, clusterOf } from '../cluster/index.js';
import { privilegesOf } from '../processes/index.js';
import type { BestNodeDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import type { ProcessUsage } from '../shared/wire.js';
import type { Clusters } from './clusters.js';
import type { Context } from './context.js';
import type { Freezer } from './freezer.js';
import type { Residents } from './residents.js';
import { Watch } from './watch.js';

export interface AutomaticPorts {
  members: Membership;
  residents: Residents;
  links: Links;
  /** What each process of this node's in those sessions on that node has used. */
  usages: (node: string, sessions: readonly string[]) => Promise<ProcessUsage[]>;
  clusters: Pick<Clusters, 'whyNotTo'>;
  freezer: Pick<Freezer, 'holds'>;
  random?: () => number;
}

export class Automatic {
  readonly balancer: Balancer;
  private readonly random: () => number;
  private readonly watch: Watch;

  constructor(
    private readonly context: Context,
    private readonly ports: AutomaticPorts,
  ) {
    const { clock, configuration, own, log } = context;
    const { members, links, residents, random = Math.random } = ports;
    this.random = random;
    this.watch = new Watch(context, {
      residents,
      freezer: ports.freezer,
      usages: ports.usages,
      bounds: (pid, abroad) => this.bounds(pid, abroad),
    });
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
      residents: () => this.watch.residents(),
      sample: (pids) => this.watch.sample(pids),
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

  private async move(pid: number, to: string, reason: string): Promise<{ seconds: number }> {
    const { residents, links } = this.ports;
    const job = residents.jobs.jobOf(pid);
    if (!job) throw new Error(`process ${pid} has ended`);
    const { total_seconds: seconds, bytes, from } = await residents.migrations.order(pid, to, job, reason, true);
    links.sent(to === this.context.own.name ? from : to, bytes, seconds);
    return { seconds };
  }
}
