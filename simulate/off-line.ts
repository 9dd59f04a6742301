/**
 * An assignment of processes to nodes that nobody can find while they arrive: it knows beforehand what will come and how long each will run. The best
 * there is would take too long to find; this one begins with what the all-knowing does, and moves single processes to other nodes as long as that makes
 * the mean slowdown less. Processes stay where they start, so that nodes can be reckoned one by one.
 */
import { at } from './lists.js';
import { type Arrival, demandOf, memoryOf, shareOf } from './machines.js';
import { Partners } from './partners.js';
import { randomFrom } from './random.js';
import type { Scenario } from './scenario.js';

interface Job {
  arrival: Arrival;
  left: number;
}

/** The sum of the slowdowns of those that run on a node. @param arrivals the earliest first. */
export function slowdownsOn(scenario: Scenario, node: number, arrivals: readonly Arrival[]): number {
  const machine = at(scenario.machines, node);
  const jobs: Job[] = [];
  let sum = 0;
  let now = 0;
  let come = 0;
  while (come < arrivals.length || jobs.length > 0) {
    let [demand, used] = [0, 0];
    for (const { arrival, left } of jobs) {
      demand += demandOf(arrival, node, scenario.network);
      used += memoryOf(arrival, arrival.cpuSeconds - left).bytes;
    }
    const share = (shareOf(machine, demand, used) * machine.speed) / 10_000;
    const rate = ({ arrival }: Job): number => demandOf(arrival, node, scenario.network) * share;
    let until = come < arrivals.length ? at(arrivals, come).at : Number.POSITIVE_INFINITY;
    let next: { job: Job; ends: boolean } | null = null;
    for (const job of jobs) {
      const { left, arrival } = job;
      const grows = now + memoryOf(arrival, arrival.cpuSeconds - left).nextSeconds / rate(job);
      const ends = now + left / rate(job);
      if (Math.min(grows, ends) >= until) continue;
      until = Math.min(grows, ends);
      next = { job, ends: ends <= grows };
    }
    for (const job of jobs) job.left -= rate(job) * (until - now);
    now = until;
    if (next?.ends) {
      const { job } = next;
      sum += (now - job.arrival.at) / job.arrival.cpuSeconds;
      jobs.splice(jobs.indexOf(job), 1);
    } else if (!next) {
      const arrival = at(arrivals, come++);
      jobs.push({ arrival, left: arrival.cpuSeconds });
    }
  }
  return sum;
}

/** Each process is tried so often on another node. */
const ROUNDS = 12;
/** Other nodes that are tried for it in each round. */
const TRIED = 4;

/**
 * @param start where each of the arrivals runs to begin with.
 * @returns where each of them runs.
 */
export function offLine(scenario: Scenario, start: readonly number[]): number[] {
  const { arrivals, machines, seed } = scenario;
  const random = randomFrom(seed);
  const partners = new Partners(scenario);
  const assignment = [...start];
  const byNode = machines.map((_, node) => arrivals.filter((_arrival, order) => assignment[order] === node));
  const sums = byNode.map((all, node) => slowdownsOn(scenario, node, all));
  for (let round = 0; round < ROUNDS; round++)
    for (const [order, arrival] of arrivals.entries())
      for (let tries = 0; tries < TRIED; tries++) {
        const from = at(assignment, order);
        const to = Math.floor(random() * machines.length);
        if (to === from || partners.priority(arrival.home, to) === null) continue;
        const without = at(byNode, from).filter((one) => one !== arrival);
        const others = at(byNode, to);
        const later = others.findIndex((one) => one.at > arrival.at);
        const withIt = others.toSpliced(later < 0 ? others.length : later, 0, arrival);
        const [sumFrom, sumTo] = [slowdownsOn(scenario, from, without), slowdownsOn(scenario, to, withIt)];
        if (sumFrom + sumTo >= at(sums, from) + at(sums, to)) continue;
        Object.assign(byNode, { [from]: without, [to]: withIt });
        Object.assign(sums, { [from]: sumFrom, [to]: sumTo });
        assignment[order] = to;
      }
  return assignment;
}
