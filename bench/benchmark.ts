/** What every benchmark is, and what it gets. */
import type { Plot } from '../simulate/svg.js';
import type { Figure } from './figure.js';
import type { Nodes } from './nodes.js';

export interface Effort {
  /** Of so many rounds of this benchmark, how many to take. */
  rounds: (usual: number) => number;
  /** Of so many repetitions within a round. */
  times: (usual: number) => number;
}

export const thorough: Effort = { rounds: (usual) => usual, times: (usual) => usual };
export const quick: Effort = { rounds: () => 3, times: (usual) => Math.ceil(usual / 10) };

export interface Benchmark {
  name: string;
  title: string;
  /** How it is measured, for the reader of the figures. */
  how: string;
  /** What its nodes are to be, as `scripts/testbed up` has it. */
  testbed?: readonly string[];
  /** How many there are; 2. */
  nodes?: number;
  /** Why it cannot be taken on this machine; undefined where it can. */
  whyNot?: () => string | undefined;
  /** @param note takes a sentence of what only the run can tell. */
  run: (nodes: Nodes, effort: Effort, note: (text: string) => void) => Promise<Figure[]>;
  /** What of them is seen better than read, for the page. */
  plots?: (figures: readonly Figure[]) => Plot[];
}
