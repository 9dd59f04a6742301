/** A cluster that places its processes: the daemon's own decisions and its news of nodes, on simulated machines. */
import { Names, type NodeAddress, OWN_PRIORITY, PUBLIC_PRIORITY } from '../lib/cluster/index.js';
import { type Host, RESERVE_BYTES, type Visitor, makeRoom, outranked, refusal } from '../lib/placement/index.js';
import { MosrunError } from '../lib/shared/errors.js';
import type { SessionRequest } from '../lib/shared/wire.js';
import { at } from './lists.js';
import { Machines, type Running, type Work, memoryOf } from './machines.js';
import { addressOf, heartbeatOf } from './made-up.js';
import { type Moment, loadOf } from './measurements.js';
import { BoardNews, DaemonNews, type News } from './news.js';
import { Partners } from './partners.js';
import { type Policy, knows, startOf } from './policies.js';
import { randomFrom } from './random.js';
import type { Incident, Scenario } from './scenario.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedNode } from './simulated-node.js';
import { Wires } from './wires.js';

export interface ClusterOptions {
  policy: Policy;
  /** For `off-line`: found beforehand. */
  assignment?: readonly number[];
  /** How nodes know each other: by all of a daemon's code, or by its board alone; usually by all in clusters of up to {@link DAEMONS_MOST}. */
  news?: 'daemon' | 'board';
  /** Do worse guests leave whenever a better process comes, or only when it needs their memory? */
  leave?: 'always' | 'room';
  /** Every so many seconds a {@link Moment} is taken; 0: never. */
  momentSeconds?: number;
  /** Is told every ten simulated seconds how far it is. */
  onProgress?: (seconds: number, running: number) => void;
}

/** The rest of a daemon's membership takes more room than the board. */
export const DAEMONS_MOST = 32;
/** So long a channel hears nothing until its kernel gives it up. */
const SILENCE_SECONDS = 40;
const TIMEOUT_SECONDS = 2;
/** Until the first words, which all boards have heard at once, are not the youngest any more. */
const MEETING_SECONDS = 15;
const LONGEST_MEETING_SECONDS = 300;

export interface Ended {
  work: Work;
  /** From when it came. */
  seconds: number;
  moves: number;
}

export class PlacedCluster {
  readonly clock = new SimulatedClock();
  readonly ended: Ended[] = [];
  readonly moments: Moment[] = [];
  moves = 0;
  /** Processes that ended with a node, or for want of one. */
  lost = 0;
  /** Guests that had to make room. */
  pushedOut = 0;
  /** Where each of the arrivals began to run, in their order. */
  readonly startedAt: number[] = [];
  readonly machines: Machines;
  readonly wires = new Wires();
  private readonly random: () => number;
  private readonly partners: Partners;
  private readonly addresses: readonly NodeAddress[];
  private readonly names = new Names();
  private readonly news: News[] = [];
  private readonly nodes: SimulatedNode[] = [];
  private readonly lives: number[];
  /** Nodes that a process is on its way to, sent by its home of itself. */
  private readonly expecting = new Set<number>();

  constructor(
    readonly scenario: Scenario,
    readonly options: ClusterOptions,
  ) {
    const { machines, network, seed } = scenario;
    this.random = randomFrom(seed);
    this.partners = new Partners(scenario);
    this.machines = new Machines(machines, network, this.clock, (one) => {
      this.ended.push({ work: one, seconds: this.clock.seconds() - one.began, moves: one.moves });
    });
    this.addresses = machines.map((_, node) => ({ ...addressOf(node), name: `${node}` }));
    this.lives = machines.map(() => 1);
    for (const node of machines.keys()) this.nodes.push(this.newNode(node));
    if (knows(options.policy)) this.startNodes();
  }

  private newNode(number: number): SimulatedNode {
    const { clock, random, machines } = this;
    return new SimulatedNode({
      number,
      clock,
      random,
      machines,
      automatic: this.options.policy === 'mosrun',
      isOpen: (node) => this.partners.priority(number, node) !== null,
      isOwn: (node) => this.partners.isOwn(number, node),
      reaches: (node) => this.wires.reaches(number, node),
      move: (running, to) => this.move(running, to, true),
    });
  }

  private newNews(self: number): News {
    const { news = this.addresses.length <= DAEMONS_MOST ? 'daemon' : 'board' } = this.options;
    const ports = {
      self,
      addresses: this.addresses,
      clock: this.clock,
      random: this.random,
      wires: this.wires,
      all: this.news,
      own: () => at(this.nodes, self).heartbeat(),
      isNear: (node: number) => this.partners.isOwn(self, node),
      life: at(this.lives, self),
    };
    return news === 'daemon' ? new DaemonNews(ports) : new BoardNews(ports, this.names);
  }

  private startNodes(): void {
    for (const node of this.nodes.keys()) this.news.push(this.newNews(node));
    for (const [node, news] of this.news.entries()) at(this.nodes, node).start(news);
    // Else each would have to be found first.
    const first = this.nodes.map((node) => ({
      node: `${node.ports.number}`,
      ageSeconds: 0,
      facts: node.heartbeat(),
      gone: null,
    }));
    for (const news of this.news) if (news instanceof BoardNews) news.hear(first);
  }

  private isOpen(home: number, node: number): boolean {
    return this.wires.reaches(home, node) && this.partners.priority(home, node) !== null;
  }

  /** Those on a node that are not of its own cluster. */
  private visitors(node: number): (Visitor & { running: Running })[] {
    return [...this.machines.on(node)].flatMap((running) => {
      const priority = this.partners.priority(running.home, node) ?? PUBLIC_PRIORITY;
      if (priority === OWN_PRIORITY || !running.runs) return [];
      return { running, session: `${running.pid}`, priority, memoryBytes: running.usedBytes, opened: running.began };
    });
  }

  /** Guests that leave when one of that priority and size comes, as far as they are in its way. */
  private leavers(node: number, priority: number, bytes: number): Running[] {
    const { leave = 'always' } = this.options;
    const visitors = this.visitors(node);
    const memoryBytes = bytes + RESERVE_BYTES - this.machines.freeBytes(node);
    const leaving =
      leave === 'always' ? outranked(visitors, priority) : makeRoom(visitors, priority, { guests: 0, abroad: 0, memoryBytes });
    const sessions = new Set(leaving.map(({ session }) => session));
    return visitors.filter(({ session }) => sessions.has(session)).map(({ running }) => running);
  }

  /** Why a node wants none of that cluster now, or ever; null: it may come. */
  private unwanted(home: number, node: number): Host['unwanted'] {
    const priority = this.partners.priority(home, node);
    if (priority === null) return { reason: 'cluster', why: 'its cluster is not known there' };
    if (this.options.leave === 'room') return null;
    const best = Math.min(...[...this.machines.on(node)].map((one) => this.partners.priority(one.home, node) ?? PUBLIC_PRIORITY));
    return best < priority ? { reason: 'priority', why: 'better processes are there' } : null;
  }

  /** Why a node does not take a process; null: it does. */
  private whyNot({ home, pid, usedBytes }: Pick<Running, 'home' | 'pid' | 'usedBytes'>, node: number): Error | null {
    if (!this.wires.reaches(home, node)) return new MosrunError('node-down', 'no answer');
    if (home === node) return null;
    const priority = this.partners.priority(home, node) ?? PUBLIC_PRIORITY;
    const leaving = this.leavers(node, priority, usedBytes).reduce((sum, one) => sum + one.usedBytes, 0);
    const { kernel, cpu_hash, protocol } = heartbeatOf(node);
    const common = { kernel, cpu_hash, pid_max: 2 ** 22 };
    const request: SessionRequest = {
      ...common,
      protocol,
      home: `${home}`,
      pid,
      command: '',
      uid: 0,
      threads: 1,
      memory_bytes: usedBytes,
      encrypt: false,
      automatic: true,
      privileged: null,
      control_port: 0,
      withheld: null,
    };
    return refusal(request, {
      name: `${node}`,
      blocked: false,
      guests: 0,
      maxGuests: Number.POSITIVE_INFINITY,
      memoryFreeBytes: this.machines.freeBytes(node) + leaving,
      reserveBytes: RESERVE_BYTES,
      kernel,
      cpuHash: cpu_hash,
      pidMax: common.pid_max,
      trouble: null,
      unwanted: this.unwanted(home, node),
    });
  }

  /** @param automatic of its home's own accord: of these a node takes one at a time. */
  private async move(running: Running, to: number, automatic: boolean): Promise<{ seconds: number }> {
    const from = running.at;
    const no = this.whyNot(running, to);
    if (no?.message === 'no answer') await this.pause(TIMEOUT_SECONDS);
    if (no) throw no;
    if (automatic && this.expecting.has(to)) throw new MosrunError('busy', 'another is on its way');
    if (automatic) this.expecting.add(to);
    this.machines.freeze(running);
    const seconds = this.machines.moveSeconds(running);
    await this.pause(seconds);
    if (automatic) this.expecting.delete(to);
    if (!this.machines.running.has(running.pid)) throw new MosrunError('not-found', 'it has ended');
    if (!this.wires.reaches(from, to)) {
      this.machines.thaw(running);
      throw new MosrunError('node-down', 'no answer');
    }
    this.makeRoom(running.home, running.usedBytes, to);
    this.moves++;
    this.machines.move(running, to);
    return { seconds };
  }

  private pause(seconds: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(seconds, resolve));
  }

  /** Worse guests leave a node where a better process is about to run: to where their homes find another place for them, or home. */
  private makeRoom(home: number, bytes: number, node: number): void {
    const priority = this.partners.priority(home, node) ?? PUBLIC_PRIORITY;
    const leaving = this.leavers(node, priority, bytes);
    for (const one of leaving) {
      this.pushedOut++;
      const elsewhere = at(this.nodes, one.home).elsewhere(one) ?? one.home;
      this.move(one, elsewhere, false).catch(() => this.takeHome(one));
    }
  }

  private takeHome(one: Running): void {
    if (!this.machines.running.has(one.pid) || !one.runs || one.at === one.home) return;
    // One that cannot get home either is heard of no more when its channel falls silent.
    this.move(one, one.home, false).catch(() => {});
  }

  private arrive(work: Work, order: number): void {
    const { options, random, machines } = this;
    if (!this.wires.isAlive(work.home)) {
      this.lost++;
      return;
    }
    const { policy, assignment = [] } = options;
    const isOpen = (home: number, node: number): boolean => this.isOpen(home, node);
    const found = startOf({ policy, random, machines, isOpen, assignment }, at(this.nodes, work.home), work, order);
    const usedBytes = memoryOf(work, 0).bytes;
    const isTaken = policy === 'off-line' || this.whyNot({ home: work.home, pid: 0, usedBytes }, found) === null;
    const node = isTaken ? found : work.home;
    this.makeRoom(work.home, usedBytes, node);
    this.startedAt[order] = node;
    machines.start(work, node);
  }

  happen(incident: Incident): void {
    if (incident.kind === 'cut') {
      const { below } = incident;
      this.wires.cut((node) => (node < below ? 0 : 1));
      this.clock.after(SILENCE_SECONDS, () => {
        for (const one of this.machines.running.values()) if (!this.wires.reaches(one.home, one.at)) this.lose(one);
      });
    } else if (incident.kind === 'heal') this.wires.heal();
    else if (incident.kind === 'crash') this.crash(incident.node);
    else this.comeBack(incident.node);
  }

  private crash(node: number): void {
    if (!this.wires.isAlive(node)) return;
    this.wires.kill(node);
    at(this.nodes, node).stop();
    for (const one of this.machines.on(node)) this.lose(one);
    for (const one of this.machines.homeOf(node)) {
      one.orphan = true;
      this.clock.after(SILENCE_SECONDS, () => {
        if (this.machines.running.has(one.pid)) this.lose(one);
      });
    }
  }

  private lose(one: Running): void {
    this.lost++;
    this.machines.kill(one);
  }

  private comeBack(number: number): void {
    if (this.wires.isAlive(number)) return;
    this.wires.revive(number);
    this.lives[number] = at(this.lives, number) + 1;
    const node = this.newNode(number);
    this.nodes[number] = node;
    if (!knows(this.options.policy)) return;
    this.news[number] = this.newNews(number);
    node.start(at(this.news, number));
  }

  /** How many pairs of living nodes there are of which the one is wrong about whether it can reach the other. */
  wrong(): number {
    const { wires } = this;
    let wrong = 0;
    for (const [node, news] of this.news.entries()) {
      if (!wires.isAlive(node)) continue;
      for (const other of this.nodes.keys()) if (news.believes(other) !== wires.reaches(node, other)) wrong++;
    }
    return wrong;
  }

  private takeMoments(every: number, began: number): void {
    const seconds = this.clock.seconds() - began;
    const alive = [...this.nodes.keys()].filter((node) => this.wires.isAlive(node));
    const densities = alive.map((node) => {
      const { cpus, speed } = at(this.scenario.machines, node);
      return (this.machines.runnable(node) * 10_000) / (cpus * speed);
    });
    const isAsked = this.scenario.incidents.length > 0 && this.news.length > 0;
    const pairs = alive.length * (this.nodes.length - 1);
    const wrongPercent = isAsked ? (100 * this.wrong()) / pairs : null;
    this.moments.push({ seconds, load: loadOf(densities), moves: this.moves, running: this.machines.running.size, wrongPercent });
    this.clock.after(every, () => {
      this.takeMoments(every, began);
    });
  }

  /** Until nodes know each other as they do when something arrives: for long. */
  async meet(): Promise<void> {
    if (this.news.length === 0) return;
    const isByDaemon = this.news.some((one) => one instanceof DaemonNews);
    for (
      let seconds = 0;
      seconds < MEETING_SECONDS || (isByDaemon && this.wrong() > 0 && seconds < LONGEST_MEETING_SECONDS);
      seconds++
    )
      await this.clock.settleUntil(seconds);
  }

  /** Until all have ended that came, at most for so long. */
  async run(untilSeconds: number): Promise<void> {
    const { arrivals, incidents } = this.scenario;
    await this.meet();
    const began = this.clock.seconds();
    if (this.options.momentSeconds) this.takeMoments(this.options.momentSeconds, began);
    for (const incident of incidents)
      this.clock.after(incident.at, () => {
        this.happen(incident);
      });
    for (const [order, { at: when, ...work }] of arrivals.entries())
      this.clock.after(when, () => {
        this.arrive(work, order);
      });
    const last = Math.max(arrivals.at(-1)?.at ?? 0, incidents.at(-1)?.at ?? 0);
    for (let now = 0; now < untilSeconds && (now <= last || this.machines.running.size > 0); now += 10) {
      await this.clock.settleUntil(began + now + 10);
      this.options.onProgress?.(now + 10, this.machines.running.size);
      // Where processes stay, nobody asks for news any more.
      if (now > last && this.options.policy !== 'mosrun') this.stop();
    }
    this.stop();
  }

  stop(): void {
    for (const node of this.nodes) node.stop();
  }
}
