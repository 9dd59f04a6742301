/** One node of a simulated cluster, from one start to its end: what it knows and what it decides. */
import { Balancer, type Candidate, RunnableMeter, type Watched, bestOther } from '../lib/placement/index.js';
import type { NodeView } from '../lib/cluster/index.js';
import type { Heartbeat } from '../lib/shared/wire.js';
import { at } from './lists.js';
import { type Machines, type Running, demandOf } from './machines.js';
import { heartbeatOf } from './made-up.js';
import type { News } from './news.js';
import type { SimulatedClock } from './simulated-clock.js';

export interface NodePorts {
  number: number;
  clock: SimulatedClock;
  random: () => number;
  machines: Machines;
  /** Does it move its processes by itself? */
  automatic: boolean;
  /** May a process of this home run there? */
  isOpen: (node: number) => boolean;
  isOwn: (node: number) => boolean;
  /** Does this node hear from that one what its processes there do? */
  reaches: (node: number) => boolean;
  move: (running: Running, to: number) => Promise<{ seconds: number }>;
}

/** As the daemon is set up unless told otherwise. */
const settings = { intervalSeconds: 1, residenceSeconds: 1 };

export class SimulatedNode {
  readonly balancer: Balancer;
  private readonly meter: RunnableMeter;
  private news: News | null = null;
  /** Has a node of the own cluster, of those considered last, a processor to spare? */
  private ownHasRoom = false;

  constructor(readonly ports: NodePorts) {
    const { number, clock, random, machines, automatic, move } = ports;
    this.meter = new RunnableMeter(clock.plain, () => machines.runnable(number));
    this.balancer = new Balancer({
      self: `${number}`,
      clock,
      random,
      settings: () => ({ automatic, ...settings }),
      latest: (most, names) => this.latest(most, names),
      linkTo: () => machines.network,
      whyBarred: ({ name }) => this.whyBarred(Number(name)),
      residents: () => this.residents().map(({ pid }) => ({ pid, stays: null, decay: null, pure: false, memoryBytes: 0 })),
      sample: async (pids) => this.sample(pids),
      lastResort: null,
      isMoving: (pid) => machines.running.get(pid)?.runs !== true,
      move: (pid, to) => {
        const running = machines.running.get(pid);
        return running ? move(running, Number(to)) : Promise.reject(new Error('it has ended'));
      },
      log: () => {},
    });
  }

  start(news: News): void {
    this.news = news;
    this.meter.start();
    news.start();
    if (this.ports.automatic) this.balancer.start();
  }

  stop(): void {
    this.meter.stop();
    this.news?.stop();
    this.balancer.stop();
  }

  /** What it tells of itself. */
  heartbeat(): Heartbeat {
    const { number, machines } = this.ports;
    const { cpus, speed, memoryBytes } = at(machines.machines, number);
    const runnable = this.meter.mean;
    const load = Math.min(cpus, runnable);
    const memory = { memory_bytes: memoryBytes, memory_free_bytes: Math.max(0, machines.freeBytes(number)) };
    return heartbeatOf(number, { node: `${number}`, cpus, speed, runnable, load, ...memory });
  }

  /** Where one of its processes is to go that has to leave where it is; null: home. */
  elsewhere({ pid, at: from }: Running): number | null {
    const { random } = this.ports;
    const leaves = (one: Candidate): Candidate =>
      one.name === `${from}` ? { ...one, excluded: 'it sends its guests away' } : one;
    const all = this.balancer.survey().map(leaves);
    const { to } = bestOther(all, { from: `${from}`, need: this.balancer.need(pid), trigger: 'leaving', random });
    return to === `${from}` || to === `${this.ports.number}` ? null : Number(to);
  }

  private residents(): Running[] {
    return [...this.ports.machines.homeOf(this.ports.number)].filter(({ orphan }) => !orphan);
  }

  private latest(most: number, names: ReadonlySet<string>): NodeView[] {
    const { isOwn } = this.ports;
    const views = this.news?.latest(most, names) ?? [];
    this.ownHasRoom = views.some(
      ({ state, facts, name }) =>
        state === 'up' && facts !== null && isOwn(Number(name)) && (facts.runnable ?? facts.load) + 1 <= facts.cpus,
    );
    return views;
  }

  private whyBarred(node: number): string | null {
    const { isOpen, isOwn } = this.ports;
    if (!isOpen(node)) return 'its cluster does not take processes of this one';
    return this.ownHasRoom && !isOwn(node) ? 'the own cluster comes first, and has a processor to spare' : null;
  }

  private sample(pids: readonly number[]): Map<number, Watched> {
    const { clock, machines, random, reaches } = this.ports;
    const samples = new Map<number, Watched>();
    for (const pid of pids) {
      const one = machines.running.get(pid);
      if (!one || !reaches(one.at)) continue;
      machines.on(one.at);
      samples.set(pid, {
        atSeconds: clock.seconds(),
        ageSeconds: clock.seconds() - one.began,
        startTime: '',
        place: `${one.at}`,
        cpuSeconds: one.cpuHere,
        // A look finds it computing as often as it does.
        runnable: random() < demandOf(one, one.at, machines.network) ? 1 : 0,
        runnableAtHome: 0,
        memoryBytes: one.usedBytes,
        calls: one.callsHere,
        bytes: 0,
      });
    }
    return samples;
  }
}
