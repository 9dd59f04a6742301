/** Machines and what runs on them, simulated as flows: each process gets its share of its node's processors, less what it waits for its home. */
import { at } from './lists.js';
import type { SimulatedClock } from './simulated-clock.js';

export interface Machine {
  cpus: number;
  /** Of a core; 10000: the standard one. */
  speed: number;
  memoryBytes: number;
}

export interface Work {
  home: number;
  /** On a standard core, alone. */
  cpuSeconds: number;
  memoryBytes: number;
  callsPerCpuSecond: number;
}

/** Work that comes to its home at that time. */
export interface Arrival extends Work {
  at: number;
}

export interface Running extends Work {
  pid: number;
  at: number;
  began: number;
  /** Not moved about now. */
  runs: boolean;
  done: number;
  /** Since it came to where it is. */
  cpuHere: number;
  callsHere: number;
}

export interface Network {
  roundTripSeconds: number;
  bytesPerSecond: number;
}

const TICK_SECONDS = 0.1;
/** What of its speed is left to a node whose memory does not hold what runs there. */
const PAGING = 0.02;

export class Machines {
  readonly running = new Map<number, Running>();
  private nextPid = 1;

  constructor(
    readonly machines: readonly Machine[],
    readonly network: Network,
    private readonly clock: SimulatedClock,
    private readonly onEnd: (ended: Running) => void,
  ) {
    this.tick();
  }

  start(work: Work, node: number): Running {
    const pid = this.nextPid++;
    const began = this.clock.seconds();
    const running = { ...work, pid, at: node, began, runs: true, done: 0, cpuHere: 0, callsHere: 0 };
    this.running.set(pid, running);
    return running;
  }

  /** How long the memory takes from one node to another. */
  moveSeconds(running: Running): number {
    return 0.05 + running.memoryBytes / this.network.bytesPerSecond;
  }

  move(running: Running, to: number): void {
    Object.assign(running, { at: to, cpuHere: 0, callsHere: 0, runs: true });
  }

  on(node: number): Running[] {
    return [...this.running.values()].filter((one) => one.at === node);
  }

  freeBytes(node: number): number {
    return at(this.machines, node).memoryBytes - this.on(node).reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  }

  /** How much of its time a process computes, if it has a core for itself. */
  demand({ at: node, home, callsPerCpuSecond }: Running): number {
    return node === home ? 1 : 1 / (1 + callsPerCpuSecond * this.network.roundTripSeconds);
  }

  runnable(node: number): number {
    return this.on(node).reduce((sum, one) => sum + (one.runs ? this.demand(one) : 0), 0);
  }

  private tick(): void {
    const byNode = new Map<number, Running[]>();
    for (const one of this.running.values()) byNode.set(one.at, [...(byNode.get(one.at) ?? []), one]);
    for (const [node, all] of byNode) {
      const { cpus, speed, memoryBytes } = at(this.machines, node);
      const demand = all.reduce((sum, one) => sum + (one.runs ? this.demand(one) : 0), 0);
      const memory = all.reduce((sum, one) => sum + one.memoryBytes, 0);
      const share = Math.min(1, cpus / Math.max(demand, 1e-9)) * (memory > memoryBytes ? PAGING : 1);
      for (const one of all) {
        if (!one.runs) continue;
        const cpu = this.demand(one) * share * TICK_SECONDS;
        one.cpuHere += cpu;
        one.callsHere += (cpu * one.callsPerCpuSecond * speed) / 10_000;
        one.done += (cpu * speed) / 10_000;
        if (one.done < one.cpuSeconds) continue;
        this.running.delete(one.pid);
        this.onEnd(one);
      }
    }
    this.clock.after(TICK_SECONDS, () => {
      this.tick();
    });
  }
}
