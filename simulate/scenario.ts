/** What happens to a simulated cluster: machines, whose they are, what arrives and what breaks. The same under whatever policy. */
import { at } from './lists.js';
import type { Arrival, Machine, Network } from './machines.js';
import { randomFrom } from './random.js';

export type Incident =
  | { kind: 'crash' | 'back'; at: number; node: number }
  /** Between nodes below that number and the others. */
  | { kind: 'cut'; at: number; below: number }
  | { kind: 'heal'; at: number };

/** Nodes of one cluster take processes of another: with that priority, the lower the better; 0 is their own. */
export interface Partner {
  host: number;
  guest: number;
  priority: number;
}

export interface Scenario {
  seed: number;
  /** For how long processes arrive. */
  seconds: number;
  network: Network;
  machines: readonly Machine[];
  /** Of each node. */
  clusters: readonly number[];
  partners: readonly Partner[];
  /** The earliest first. */
  arrivals: readonly Arrival[];
  incidents: readonly Incident[];
}

export interface ScenarioOptions {
  nodes: number;
  /** Of the processors of all nodes, on average. */
  busy: number;
  seconds: number;
  seed: number;
  /** 1. */
  clusters?: number;
  /** In what part of the pairs of clusters the one takes processes of the other; 1. */
  partners?: number;
  /** So many processes come at once, all to one node, every {@link BURST_SECONDS}; 0. */
  burst?: number;
  /** Nodes that crash, each at a random time, and are back {@link AWAY_SECONDS} later; 0. */
  crashes?: number;
  /** How long the cluster is cut in two halves, from a third of `seconds` on; 0: never. */
  cutSeconds?: number;
}

const GIGABYTE = 2 ** 30;
const network = { roundTripSeconds: 50e-6, bytesPerSecond: 100e6 };
export const BURST_SECONDS = 20;
export const AWAY_SECONDS = 30;

/** Of one, two and four cores, the slowest half as fast as the fastest. */
function machinesOf(nodes: number, random: () => number): Machine[] {
  return Array.from({ length: nodes }, () => ({
    cpus: at([1, 2, 4], Math.floor(random() * 3)),
    speed: 7000 + Math.floor(random() * 7000),
    memoryBytes: (random() < 0.5 ? 4 : 8) * GIGABYTE,
  }));
}

/** The largest is as many times the smallest as there are clusters; each has a node at least. */
export function clustersOf(nodes: number, clusters: number): number[] {
  const total = (clusters * (clusters + 1)) / 2;
  const ends = Array.from(
    { length: clusters },
    (_, index) => (((index + 1) * (index + 2)) / 2 / total) * (nodes - clusters) + index + 1,
  );
  return Array.from({ length: nodes }, (_, node) => ends.findIndex((end) => node < Math.round(end)));
}

function partnersOf(clusters: number, part: number, random: () => number): Partner[] {
  const all = Array.from({ length: clusters }, (_, cluster) => cluster);
  return all.flatMap((host) =>
    all.flatMap((guest) =>
      guest === host || random() >= part ? [] : { host, guest, priority: 1 + Math.floor(random() * clusters) },
    ),
  );
}

/** Bounded Pareto, exponent 1.1: most are short, and a few that are very long make up much of the work. */
function lifeOf(random: () => number): number {
  const [shortest, longest, exponent] = [0.5, 300, 1.1];
  const [low, high] = [shortest ** exponent, longest ** exponent];
  return (-(random() * (high - low) - high) / (high * low)) ** (-1 / exponent);
}

/** Poisson arrivals, most of little memory, a tenth that calls home much. */
function arrivalsOf(options: ScenarioOptions, machines: readonly Machine[], random: () => number): Arrival[] {
  const { nodes, busy, seconds, burst = 0 } = options;
  const mean = Array.from({ length: 20_000 }, () => lifeOf(random)).reduce((sum, one) => sum + one, 0) / 20_000;
  const power = machines.reduce((sum, { cpus, speed }) => sum + (cpus * speed) / 10_000, 0);
  const rate = (busy * power) / mean;
  const arrivals: Arrival[] = [];
  const arrive = (when: number, home: number): void => {
    const memoryBytes = random() < 0.8 ? 50e6 * (1 + random()) : GIGABYTE * (0.5 + random());
    const callsPerCpuSecond = random() < 0.1 ? 40_000 : 100;
    arrivals.push({ at: when, home, cpuSeconds: lifeOf(random), memoryBytes, callsPerCpuSecond });
  };
  const pause = (): number => -Math.log(1 - random()) / rate;
  for (let now = pause(); now < seconds; now += pause()) {
    // Half of it comes from one node of four: that is what a cluster is for.
    arrive(now, Math.floor(random() * (random() < 0.5 ? Math.ceil(nodes / 4) : nodes)));
  }
  for (let now = BURST_SECONDS / 2; burst > 0 && now < seconds; now += BURST_SECONDS) {
    const home = Math.floor(random() * nodes);
    for (let each = 0; each < burst; each++) arrive(now, home);
  }
  return arrivals.sort((one, other) => one.at - other.at);
}

function incidentsOf({ nodes, seconds, crashes = 0, cutSeconds = 0 }: ScenarioOptions, random: () => number): Incident[] {
  const incidents: Incident[] = [];
  for (let each = 0; each < crashes; each++) {
    const [node, when] = [Math.floor(random() * nodes), random() * seconds];
    incidents.push({ kind: 'crash', at: when, node }, { kind: 'back', at: when + AWAY_SECONDS, node });
  }
  if (cutSeconds > 0)
    incidents.push(
      { kind: 'cut', at: seconds / 3, below: Math.floor(nodes / 2) },
      { kind: 'heal', at: seconds / 3 + cutSeconds },
    );
  return incidents.sort((one, other) => one.at - other.at);
}

export function scenarioOf(options: ScenarioOptions): Scenario {
  const { nodes, seconds, seed, clusters = 1, partners = 1 } = options;
  const random = randomFrom(seed);
  const machines = machinesOf(nodes, random);
  const arrivals = arrivalsOf(options, machines, random);
  return {
    seed,
    seconds,
    network,
    machines,
    clusters: clustersOf(nodes, clusters),
    partners: partnersOf(clusters, partners, random),
    arrivals,
    incidents: incidentsOf(options, random),
  };
}
