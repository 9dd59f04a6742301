/** Nodes that gossip, their clocks and the network between them simulated. The unit of time is one step. */
import { Board, Names } from '../lib/cluster/index.js';
import { randomFrom } from './random.js';
import { clustersOf } from './scenario.js';
import { SimulatedClock } from './simulated-clock.js';

export interface BoardNetworkOptions {
  nodes: number;
  window: number;
  seed: number;
  /** Nodes tell those of their own cluster more often; usually there is one. */
  clusters?: number;
}

const nameOf = (number: number): string => String(number);

export class BoardNetwork {
  readonly clock = new SimulatedClock();
  readonly boards: Board<number>[] = [];
  private readonly dead = new Set<number>();
  private readonly clusters: readonly number[];

  constructor(readonly options: BoardNetworkOptions) {
    const { nodes, window, seed, clusters = 1 } = options;
    const random = randomFrom(seed);
    const names = new Names();
    this.clusters = clustersOf(nodes, clusters);
    for (let number = 0; number < nodes; number++) {
      const isNear = (node: string): boolean => this.isNear(number, Number(node));
      const self = nameOf(number);
      const board = new Board<number>({ self, clock: this.clock, random, window, stepSeconds: 1, isNear, names });
      this.boards.push(board);
      for (let other = 0; other < nodes; other++) board.meet(nameOf(other));
    }
    for (let number = 0; number < nodes; number++) {
      // The first words reach everyone, so that there is a board to keep up to date.
      for (const board of this.boards) board.hear([{ node: nameOf(number), ageSeconds: 0, facts: 0, gone: null }]);
      this.clock.after(random(), () => {
        this.step(number);
      });
    }
  }

  /** Are they of one cluster? */
  isNear(one: number, other: number): boolean {
    return this.clusters[one] === this.clusters[other];
  }

  private step(number: number): void {
    const board = this.boards[number];
    if (!board || this.dead.has(number)) return;
    board.refresh(this.clock.seconds());
    const target = board.target();
    const message = board.message();
    if (target !== null && !this.dead.has(Number(target))) this.boards[Number(target)]?.hear(message);
    this.clock.after(board.pauseSeconds(), () => {
      this.step(number);
    });
  }

  runSteps(steps: number): void {
    this.clock.runUntil(this.clock.seconds() + steps);
  }

  kill(number: number): void {
    this.dead.add(number);
  }

  get living(): Board<number>[] {
    return this.boards.filter((_, number) => !this.dead.has(number));
  }
}
