/**
 * Machines and what runs on them, simulated as flows: each process gets its share of its node's processors, less what it waits for its home. Nothing
 * is rounded: between two changes on a node all goes on evenly, so that the next end there can be computed.
 */
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
  /** When it has grown up. */
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
  /** Of its `cpuSeconds`. */
  done: number;
  /** What it has of its memory by now. */
  usedBytes: number;
  /** Since it came to where it is. */
  cpuHere: number;
  callsHere: number;
  moves: number;
  /** Its home is no more, and it does not know that yet. */
  orphan: boolean;
}

export interface Network {
  roundTripSeconds: number;
  bytesPerSecond: number;
}

interface Node {
  machine: Machine;
  processes: Set<Running>;
  usedBytes: number;
  /** What runs there would use if each had a core for itself, in cores. */
  demand: number;
  /** Up to when what runs there has been given its share. */
  reached: number;
  /** When the next ends or grows, or earlier. */
  planned: number;
  cancel: () => void;
}

/** What of its speed is left to a node whose memory does not hold what runs there. */
const PAGING = 0.02;
/** Of work: what is less is a rounding error. */
const NOTHING_SECONDS = 1e-9;
/** A process has a part of its memory when it starts, and each further part when it has done so much more of its work. */
const PARTS = 4;
const PART_SECONDS = 0.25;
/** Of a move, beside what its memory takes. */
const MOVE_SECONDS = 0.05;

/** How much of its time a process computes, if it has a core for itself. */
export function demandOf({ home, callsPerCpuSecond }: Work, node: number, network: Network): number {
  return node === home ? 1 : 1 / (1 + callsPerCpuSecond * network.roundTripSeconds);
}

/** What part of a core, measured in its own time, each process gets for each that it would use. */
export function shareOf({ cpus, memoryBytes }: Machine, demand: number, usedBytes: number): number {
  return Math.min(1, cpus / Math.max(demand, 1e-9)) * (usedBytes > memoryBytes ? PAGING : 1);
}

/** What a process has of its memory when it has done so much, and how much more it does until that is more. */
export function memoryOf({ memoryBytes }: Work, doneSeconds: number): { bytes: number; nextSeconds: number } {
  const parts = 1 + Math.floor((doneSeconds + NOTHING_SECONDS) / PART_SECONDS);
  if (parts >= PARTS) return { bytes: memoryBytes, nextSeconds: Number.POSITIVE_INFINITY };
  return { bytes: (memoryBytes * parts) / PARTS, nextSeconds: parts * PART_SECONDS - doneSeconds };
}

export class Machines {
  readonly running = new Map<number, Running>();
  private readonly nodes: Node[];
  private readonly homes: Set<Running>[];
  private nextPid = 1;

  constructor(
    readonly machines: readonly Machine[],
    readonly network: Network,
    private readonly clock: SimulatedClock,
    private readonly onEnd: (ended: Running) => void,
  ) {
    this.nodes = machines.map((machine) => ({
      machine,
      processes: new Set(),
      usedBytes: 0,
      demand: 0,
      reached: 0,
      planned: Number.POSITIVE_INFINITY,
      cancel: () => {},
    }));
    this.homes = machines.map(() => new Set());
  }

  start(work: Work, node: number): Running {
    const pid = this.nextPid++;
    const began = this.clock.seconds();
    const running = {
      ...work,
      pid,
      at: node,
      began,
      runs: true,
      done: 0,
      cpuHere: 0,
      callsHere: 0,
      moves: 0,
      orphan: false,
      usedBytes: 0,
    };
    this.running.set(pid, running);
    at(this.homes, work.home).add(running);
    this.put(running, node);
    return running;
  }

  /** How long the memory takes from one node to another. */
  moveSeconds({ usedBytes }: Running): number {
    return MOVE_SECONDS + usedBytes / this.network.bytesPerSecond;
  }

  /** It stands still until `move`, or `thaw` where it was. */
  freeze(running: Running): void {
    this.change(running.at, () => {
      running.runs = false;
    });
  }

  thaw(running: Running): void {
    this.change(running.at, () => {
      running.runs = true;
    });
  }

  move(running: Running, to: number): void {
    this.takeAway(running);
    running.moves++;
    this.put(Object.assign(running, { at: to, cpuHere: 0, callsHere: 0, runs: true }), to);
  }

  /** It is no more, and has not come to its end. */
  kill(running: Running): void {
    this.takeAway(running);
    this.forget(running);
  }

  /** Those on a node, with what they have done by now. */
  on(node: number): ReadonlySet<Running> {
    this.reach(at(this.nodes, node));
    return at(this.nodes, node).processes;
  }

  homeOf(node: number): ReadonlySet<Running> {
    return at(this.homes, node);
  }

  freeBytes(node: number): number {
    const { machine, usedBytes } = at(this.nodes, node);
    return machine.memoryBytes - usedBytes;
  }

  demand(running: Running): number {
    return demandOf(running, running.at, this.network);
  }

  runnable(node: number): number {
    return at(this.nodes, node).demand;
  }

  private put(running: Running, node: number): void {
    this.change(node, ({ processes }) => {
      processes.add(running);
    });
  }

  private takeAway(running: Running): void {
    this.change(running.at, ({ processes }) => {
      processes.delete(running);
    });
  }

  private forget(running: Running): void {
    this.running.delete(running.pid);
    at(this.homes, running.home).delete(running);
  }

  private change(node: number, change: (node: Node) => void): void {
    const found = at(this.nodes, node);
    this.reach(found);
    change(found);
    this.plan(found);
  }

  /** Gives all on a node what they have had a share of by now. */
  private reach(node: Node): void {
    const now = this.clock.seconds();
    const passed = now - node.reached;
    node.reached = now;
    if (passed <= 0 || node.demand === 0) return;
    const share = shareOf(node.machine, node.demand, node.usedBytes);
    for (const one of node.processes) {
      if (!one.runs) continue;
      const cpu = this.demand(one) * share * passed;
      const work = (cpu * node.machine.speed) / 10_000;
      one.cpuHere += cpu;
      one.callsHere += work * one.callsPerCpuSecond;
      one.done += work;
    }
  }

  private plan(node: Node): void {
    node.demand = 0;
    node.usedBytes = 0;
    for (const one of node.processes) {
      one.usedBytes = memoryOf(one, one.done).bytes;
      node.usedBytes += one.usedBytes;
      if (one.runs) node.demand += this.demand(one);
    }
    const rate = (shareOf(node.machine, node.demand, node.usedBytes) * node.machine.speed) / 10_000;
    let next = Number.POSITIVE_INFINITY;
    for (const one of node.processes)
      if (one.runs)
        next = Math.min(
          next,
          Math.min(one.cpuSeconds - one.done, memoryOf(one, one.done).nextSeconds) / (this.demand(one) * rate),
        );
    const when = this.clock.seconds() + Math.max(0, next);
    // One that is planned too early only looks again: better than to plan anew with each change.
    if (when >= node.planned || when === Number.POSITIVE_INFINITY) return;
    node.cancel();
    node.planned = when;
    node.cancel = this.clock.plain.after(Math.max(0, next), () => {
      node.planned = Number.POSITIVE_INFINITY;
      this.end(node);
    });
  }

  private end(node: Node): void {
    this.reach(node);
    const ended = [...node.processes].filter((one) => one.runs && one.done >= one.cpuSeconds - NOTHING_SECONDS);
    for (const one of ended) {
      node.processes.delete(one);
      this.forget(one);
    }
    this.plan(node);
    for (const one of ended) this.onEnd(one);
  }
}
