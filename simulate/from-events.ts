/**
 * A trace of what really came: from what `mosctl events` has printed on the nodes of a cluster. Events tell when a program came and how long it took;
 * that it computed all that time is assumed, and its memory is what its largest move carried, or a little.
 */
import * as z from 'zod';
import type { Scenario } from './scenario.js';

const told = z.looseObject({ at: z.number(), node: z.string() });
const event = z.discriminatedUnion('type', [
  told.extend({ type: z.literal('process-started'), pid: z.int() }),
  told.extend({ type: z.literal('process-ended'), pid: z.int(), elapsed_seconds: z.number().nonnegative() }),
  told.extend({ type: z.literal('migration-finished'), pid: z.int(), bytes: z.number().nonnegative() }),
]);

/** Where nothing tells of it. */
const SOME_MEMORY_BYTES = 50e6;
const SHORTEST_SECONDS = 0.01;
const machine = { cpus: 4, speed: 10_000, memoryBytes: 8 * 2 ** 30 };
const network = { roundTripSeconds: 200e-6, bytesPerSecond: 100e6 };

/** @param text one event in JSON on each line, of as many nodes as there are; lines of other events are passed over. */
export function scenarioFromEvents(text: string): Scenario {
  const events = text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    const parsed = event.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  });
  events.sort((one, other) => one.at - other.at);
  const [first] = events;
  if (!first) throw new Error('the events tell of no process');
  const names = [...new Set(events.map(({ node }) => node))].toSorted();
  const memory = new Map<string, number>();
  const started = new Map<string, number>();
  const arrivals: Scenario['arrivals'][number][] = [];
  for (const one of events) {
    const key = `${one.node} ${one.pid}`;
    if (one.type === 'process-started') started.set(key, one.at);
    else if (one.type === 'migration-finished') memory.set(key, Math.max(memory.get(key) ?? 0, one.bytes));
    else {
      const began = started.get(key) ?? one.at - one.elapsed_seconds;
      arrivals.push({
        at: Math.max(0, began - first.at),
        home: names.indexOf(one.node),
        cpuSeconds: Math.max(SHORTEST_SECONDS, one.elapsed_seconds),
        memoryBytes: memory.get(key) ?? SOME_MEMORY_BYTES,
        callsPerCpuSecond: 0,
      });
      started.delete(key);
      memory.delete(key);
    }
  }
  arrivals.sort((one, other) => one.at - other.at);
  const last = events.at(-1)?.at ?? first.at;
  return {
    seed: 1,
    seconds: last - first.at,
    network,
    machines: names.map(() => machine),
    clusters: names.map(() => 0),
    partners: [],
    arrivals,
    incidents: [],
  };
}
