/** Where a process starts. */
import { bestStart } from '../lib/placement/index.js';
import { at } from './lists.js';
import { type Machine, type Machines, type Work, memoryOf } from './machines.js';
import type { SimulatedNode } from './simulated-node.js';

/**
 * `mosrun`: starts where it is best, and moves. The others choose a node with room once, and for good: `random`; `shortest` joins the shortest queue,
 * as far as the same news tell; `all-knowing` does so too, and knows at every moment what runs everywhere, which no cluster can; `off-line` knows
 * beforehand what will come and how long each will run (see off-line.ts).
 */
export const policies = ['mosrun', 'random', 'shortest', 'all-knowing', 'off-line'] as const;
export type Policy = (typeof policies)[number];

/** Those of which nodes know each other. */
export const knows = (policy: Policy): boolean => policy === 'mosrun' || policy === 'shortest';

export interface Situation {
  policy: Policy;
  random: () => number;
  machines: Machines;
  /** May a process of that home run on that node, and is the node there? */
  isOpen: (home: number, node: number) => boolean;
  /** Found beforehand; of the arrivals in their order. */
  assignment: readonly number[];
}

const lengthOf = ({ cpus, speed }: Machine, runnable: number): number => (runnable + 1) / (cpus * speed);

/** @param home the node it comes to; its processes are placed by nobody else. */
export function startOf(situation: Situation, home: SimulatedNode, work: Work, order: number): number {
  const { policy, random, machines, isOpen, assignment } = situation;
  if (policy === 'off-line') return at(assignment, order);
  // What it will need nobody knows yet.
  const memoryBytes = memoryOf(work, 0).bytes;
  if (policy === 'mosrun') {
    const { to } = bestStart(home.balancer.survey(), { home: `${work.home}`, memoryBytes, random });
    home.balancer.expected.started(to, memoryBytes);
    return Number(to);
  }
  if (policy === 'shortest') {
    const all = home.balancer.survey().filter(({ excluded }) => excluded === null);
    const withRoom = all.filter(({ memoryFreeBytes }) => memoryFreeBytes >= memoryBytes);
    const from = withRoom.length > 0 ? withRoom : all;
    const length = (one: (typeof all)[number]): number => lengthOf(one, one.runnable);
    const { name } = from.reduce((best, one) => (length(one) < length(best) ? one : best));
    home.balancer.expected.started(name, memoryBytes);
    return Number(name);
  }
  const hasRoom = (node: number): boolean => isOpen(work.home, node) && machines.freeBytes(node) >= memoryBytes;
  if (policy === 'random') return randomOf(machines.machines.length, random, hasRoom) ?? work.home;
  let best: number | null = null;
  const length = (node: number): number => lengthOf(at(machines.machines, node), machines.on(node).size);
  for (let node = 0; node < machines.machines.length; node++)
    if (hasRoom(node) && (best === null || length(node) < length(best))) best = node;
  return best ?? work.home;
}

/** A number below `count` of which that holds; null: there is none. */
function randomOf(count: number, random: () => number, is: (number: number) => boolean): number | null {
  // Most are among the first few that are looked at.
  for (let tries = 0; tries < 16; tries++) {
    const one = Math.floor(random() * count);
    if (is(one)) return one;
  }
  const all = Array.from({ length: count }, (_, one) => one).filter(is);
  return all[Math.floor(random() * all.length)] ?? null;
}
