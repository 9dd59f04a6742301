/** What a simulated cluster is like over time, taken every so often. */
export interface Moment {
  seconds: number;
  /** Threads for each standard core of the nodes that are alive: in the middle, the twentieth part below and above, the most. */
  load: { median: number; low: number; high: number; most: number };
  /** Since the beginning. */
  moves: number;
  running: number;
  /** Of a hundred pairs of living nodes, in how many the one is wrong about whether the other can be reached; null where nothing is asked. */
  wrongPercent: number | null;
}

/** @param part 0 to 1. @param sorted the least first. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

export const ascending = (values: readonly number[]): number[] => values.toSorted((one, other) => one - other);

export function loadOf(densities: readonly number[]): Moment['load'] {
  const sorted = ascending(densities);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.05), high: quantile(sorted, 0.95), most: quantile(sorted, 1) };
}
