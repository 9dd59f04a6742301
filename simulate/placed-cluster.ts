/** A cluster that places its processes: the daemon's own decisions and its bulletin board, on simulated machines. */
import { Board, type NodeView } from '../lib/cluster/index.js';
import { Balancer, RunnableMeter, type Watched, bestStart } from '../lib/placement/index.js';
import type { Heartbeat } from '../lib/shared/wire.js';
import { at } from './lists.js';
import { type Arrival, type Machine, Machines, type Network, type Running, type Work } from './machines.js';
import { heartbeatOf } from './made-up.js';
import { randomFrom } from './random.js';
import { SimulatedClock } from './simulated-clock.js';

/**
 * `mosrun`: starts where it is best, and moves. The others choose a node with room once, and for good: `random`; `shortest` joins the shortest queue,
 * as far as the same news tell; `all-knowing` does so too, and knows at every moment what runs everywhere, which no cluster can.
 */
export type Policy = 'mosrun' | 'random' | 'shortest' | 'all-knowing';

export interface PlacedOptions {
  machines: readonly Machine[];
  network: Network;
  policy: Policy;
  seed: number;
}

const STEP_SECONDS = 0.5;
const WINDOW = 16;
const RESERVE_BYTES = 64 * 2 ** 20;

export interface Ended {
  work: Work;
  seconds: number;
}

export class PlacedCluster {
  readonly clock = new SimulatedClock();
  readonly ended: Ended[] = [];
  moves = 0;
  private readonly random: () => number;
  private readonly machines: Machines;
  private readonly boards: Board<Heartbeat>[] = [];
  private readonly balancers: Balancer[] = [];
  private readonly meters: RunnableMeter[] = [];

  constructor(readonly options: PlacedOptions) {
    const { machines, network, policy, seed } = options;
    this.random = randomFrom(seed);
    this.machines = new Machines(machines, network, this.clock, (one) => {
      this.ended.push({ work: one, seconds: this.clock.seconds() - one.began });
    });
    if (policy === 'random' || policy === 'all-knowing') return;
    for (let node = 0; node < machines.length; node++) {
      const meter = new RunnableMeter(this.clock, () => this.machines.runnable(node));
      this.meters.push(meter);
      meter.start();
    }
    for (let node = 0; node < machines.length; node++) this.addNode(node);
    for (const board of this.boards)
      for (let node = 0; node < machines.length; node++)
        board.hear([{ node: `${node}`, ageSeconds: 0, facts: this.heartbeat(node), gone: null }]);
  }

  private addNode(node: number): void {
    const { clock, random, machines } = this;
    const board = new Board<Heartbeat>({ self: `${node}`, clock, random, window: WINDOW, stepSeconds: STEP_SECONDS });
    for (let other = 0; other < this.options.machines.length; other++) board.meet(`${other}`);
    this.boards.push(board);
    const gossip = (): void => {
      board.refresh(this.heartbeat(node));
      const message = board.message();
      const target = board.target();
      if (target !== null) this.boards[Number(target)]?.hear(message);
      clock.after(board.pauseSeconds(), gossip);
    };
    clock.after(random() * STEP_SECONDS, gossip);
    const balancer = new Balancer({
      self: `${node}`,
      clock,
      random,
      settings: () => ({ automatic: true, intervalSeconds: 1, residenceSeconds: 1 }),
      latest: () => this.nodes(node),
      linkTo: () => this.options.network,
      residents: () => this.homeOf(node).map(({ pid }) => ({ pid, stays: null, decay: null, pure: false, memoryBytes: 0 })),
      sample: async (pids) => this.sample(pids),
      lastResort: null,
      isMoving: (pid) => machines.running.get(pid)?.runs !== true,
      move: (pid, to) => this.move(pid, Number(to)),
      log: () => {},
    });
    this.balancers.push(balancer);
    if (this.options.policy === 'mosrun') balancer.start();
  }

  private homeOf(node: number): Running[] {
    return [...this.machines.running.values()].filter(({ home }) => home === node);
  }

  private heartbeat(node: number): Heartbeat {
    const { cpus, speed, memoryBytes } = at(this.options.machines, node);
    const runnable = at(this.meters, node).mean;
    const load = Math.min(cpus, runnable);
    const memory = { memory_bytes: memoryBytes, memory_free_bytes: Math.max(0, this.machines.freeBytes(node)) };
    return heartbeatOf(node, { node: `${node}`, cpus, speed, runnable, load, ...memory });
  }

  private nodes(self: number): NodeView[] {
    const board = at(this.boards, self);
    return board.known().map(({ node, facts, ageSeconds }) => {
      const isSelf = node === `${self}`;
      const common = {
        name: node,
        number: Number(node),
        address: '',
        controlPort: 0,
        dataPort: 0,
        state: 'up' as const,
        why: null,
      };
      return { ...common, self: isSelf, lastSeenSeconds: isSelf ? 0 : ageSeconds, facts: isSelf ? this.heartbeat(self) : facts };
    });
  }

  private sample(pids: readonly number[]): Map<number, Watched> {
    const samples = new Map<number, Watched>();
    for (const pid of pids) {
      const one = this.machines.running.get(pid);
      if (!one) continue;
      samples.set(pid, {
        atSeconds: this.clock.seconds(),
        ageSeconds: this.clock.seconds() - one.began,
        startTime: '',
        place: `${one.at}`,
        cpuSeconds: one.cpuHere,
        // A look finds it computing as often as it does.
        runnable: this.random() < this.machines.demand(one) ? 1 : 0,
        runnableAtHome: 0,
        memoryBytes: one.memoryBytes,
        calls: one.callsHere,
        bytes: 0,
      });
    }
    return samples;
  }

  private move(pid: number, to: number): Promise<{ seconds: number }> {
    const one = this.machines.running.get(pid);
    if (!one) return Promise.reject(new Error('it has ended'));
    if (this.machines.freeBytes(to) - RESERVE_BYTES < one.memoryBytes) return Promise.reject(new Error('no memory'));
    const seconds = this.machines.moveSeconds(one);
    one.runs = false;
    this.moves++;
    return new Promise((resolve) => {
      this.clock.after(seconds, () => {
        this.machines.move(one, to);
        resolve({ seconds });
      });
    });
  }

  private place(work: Work): number {
    const { policy, machines } = this.options;
    if (policy === 'mosrun') {
      const balancer = at(this.balancers, work.home);
      const { to } = bestStart(balancer.survey(), { home: `${work.home}`, memoryBytes: work.memoryBytes, random: this.random });
      balancer.expected.started(to, work.memoryBytes);
      return Number(to);
    }
    if (policy === 'shortest') {
      const balancer = at(this.balancers, work.home);
      const all = balancer.survey();
      const withRoom = all.filter(({ memoryFreeBytes }) => memoryFreeBytes >= work.memoryBytes);
      const length = ({ runnable, cpus, speed }: (typeof all)[number]): number => (runnable + 1) / (cpus * speed);
      const from = withRoom.length > 0 ? withRoom : all;
      const { name } = from.reduce((best, one) => (length(one) < length(best) ? one : best));
      balancer.expected.started(name, work.memoryBytes);
      return Number(name);
    }
    const withRoom = machines.map((_, node) => node).filter((node) => this.machines.freeBytes(node) >= work.memoryBytes);
    const all = withRoom.length > 0 ? withRoom : machines.map((_, node) => node);
    if (policy === 'random') return at(all, Math.floor(this.random() * all.length));
    const length = (node: number): number => {
      const { cpus, speed } = at(machines, node);
      return (this.machines.on(node).length + 1) / (cpus * speed);
    };
    return all.reduce((best, node) => (length(node) < length(best) ? node : best));
  }

  /** @param arrivals with their times, the earliest first. */
  async run(arrivals: readonly Arrival[], untilSeconds: number): Promise<void> {
    for (const { at: when, ...work } of arrivals) this.clock.after(when, () => void this.machines.start(work, this.place(work)));
    for (let now = 0; now < untilSeconds && this.ended.length < arrivals.length; now += 10)
      await this.clock.settleUntil(now + 10);
    for (const balancer of this.balancers) balancer.stop();
  }

  get left(): number {
    return this.machines.running.size;
  }
}
