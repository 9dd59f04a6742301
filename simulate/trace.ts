/**
 * Scenarios as files: JSON lines, the cluster first, then what happens in it, in the order of time. A trace that a simulation has written, or that was
 * made from what daemons told (see from-events.ts), can be replayed under another policy.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import type { Scenario } from './scenario.js';

const VERSION = 1;

const count = z.int().nonnegative();
const seconds = z.number().nonnegative();

const clusterLine = z.strictObject({
  kind: z.literal('cluster'),
  version: z.literal(VERSION),
  /** Of what is at random in the cluster itself. */
  seed: z.int(),
  seconds,
  round_trip_seconds: seconds,
  bytes_per_second: z.number().positive(),
  machines: z
    .array(
      z.strictObject({
        cpus: z.number().positive(),
        speed: z.number().positive(),
        memory_bytes: z.number().positive(),
        cluster: count,
      }),
    )
    .min(1),
  partners: z.array(z.strictObject({ host: count, guest: count, priority: z.int().positive() })),
});

const laterLine = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('arrival'),
    at: seconds,
    home: count,
    cpu_seconds: z.number().positive(),
    memory_bytes: z.number().nonnegative(),
    calls_per_cpu_second: z.number().nonnegative(),
  }),
  z.strictObject({ kind: z.enum(['crash', 'back']), at: seconds, node: count }),
  z.strictObject({ kind: z.literal('cut'), at: seconds, below: count }),
  z.strictObject({ kind: z.literal('heal'), at: seconds }),
]);

export function traceOf({ seed, seconds: length, network, machines, clusters, partners, arrivals, incidents }: Scenario): string {
  const cluster: z.input<typeof clusterLine> = {
    kind: 'cluster',
    version: VERSION,
    seed,
    seconds: length,
    round_trip_seconds: network.roundTripSeconds,
    bytes_per_second: network.bytesPerSecond,
    machines: machines.map(({ cpus, speed, memoryBytes: memory_bytes }, node) => ({
      cpus,
      speed,
      memory_bytes,
      cluster: clusters[node] ?? 0,
    })),
    partners: [...partners],
  };
  const later: z.input<typeof laterLine>[] = [
    ...incidents,
    ...arrivals.map(({ at, home, cpuSeconds, memoryBytes, callsPerCpuSecond }) => ({
      kind: 'arrival' as const,
      at,
      home,
      cpu_seconds: cpuSeconds,
      memory_bytes: memoryBytes,
      calls_per_cpu_second: callsPerCpuSecond,
    })),
  ];
  const lines = [cluster, ...later.sort((one, other) => one.at - other.at)];
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
}

/** Throws with the number of the line that is wrong. */
export function scenarioIn(text: string): Scenario {
  const lines = text.split('\n').map((line, index) => ({ line, number: index + 1 }));
  const read = <T>(schema: z.ZodType<T>, { line, number }: { line: string; number: number }): T => {
    try {
      return schema.parse(JSON.parse(line));
    } catch (error) {
      const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      throw new Error(`line ${number} of the trace: ${why}`, { cause: error });
    }
  };
  const [first, ...others] = lines.filter(({ line }) => line.trim() !== '');
  if (!first) throw new Error('there is nothing in the trace');
  const cluster = read(clusterLine, first);
  const nodes = cluster.machines.length;
  const later = others.map((line) => {
    const found = read(laterLine, line);
    const node = found.kind === 'arrival' ? found.home : found.kind === 'crash' || found.kind === 'back' ? found.node : 0;
    if (node >= nodes)
      throw new Error(`line ${line.number} of the trace: there is no node ${node}: they are numbered from 0 to ${nodes - 1}`);
    return found;
  });
  later.sort((one, other) => one.at - other.at);
  return {
    seed: cluster.seed,
    seconds: cluster.seconds,
    network: { roundTripSeconds: cluster.round_trip_seconds, bytesPerSecond: cluster.bytes_per_second },
    machines: cluster.machines.map(({ cpus, speed, memory_bytes: memoryBytes }) => ({ cpus, speed, memoryBytes })),
    clusters: cluster.machines.map((one) => one.cluster),
    partners: cluster.partners,
    arrivals: later.flatMap((line) => {
      if (line.kind !== 'arrival') return [];
      const { at, home, cpu_seconds: cpuSeconds, memory_bytes: memoryBytes, calls_per_cpu_second: callsPerCpuSecond } = line;
      return [{ at, home, cpuSeconds, memoryBytes, callsPerCpuSecond }];
    }),
    incidents: later.flatMap((line) => (line.kind === 'arrival' ? [] : [line])),
  };
}

export const readTrace = (file: string): Scenario => scenarioIn(readFileSync(file, 'utf8'));

export const writeTrace = (file: string, scenario: Scenario): void => {
  writeFileSync(file, traceOf(scenario));
};
