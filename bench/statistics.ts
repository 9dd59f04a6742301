/** Medians of paired figures, and how far they can be trusted. */

export interface Estimate {
  median: number;
  /** An interval that holds the true median with at least `confidence`, whatever the distribution. */
  low: number;
  high: number;
  confidence: number;
}

export interface Pair {
  measured: number;
  floor: number;
}

/** @returns NaN of no values */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/**
 * The median with its interval by order statistics: the number of values below the true median is binomial(n, 1/2), so the k-th smallest and
 * the k-th largest enclose it with 1 - 2 P(fewer than k below). Nothing is assumed about the noise. Below six values not even the extremes
 * reach 95 %; then they are given with the confidence they have.
 */
export function estimate(values: readonly number[], wanted = 0.95): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  let rank = 1;
  let probability = 0.5 ** n; // of exactly rank - 1 values below
  let tail = probability; // of fewer than rank
  for (;;) {
    const next = (probability * (n - rank + 1)) / rank;
    if (1 - 2 * (tail + next) < wanted || rank + 1 > n / 2) break;
    probability = next;
    tail += next;
    rank++;
  }
  const low = sorted[rank - 1] ?? Number.NaN;
  const high = sorted[n - rank] ?? Number.NaN;
  return { median: median(sorted), low, high, confidence: Math.max(0, 1 - 2 * tail) };
}

export const ratios = (pairs: readonly Pair[]): number[] => pairs.map(({ measured, floor }) => measured / floor);
export const differences = (pairs: readonly Pair[]): number[] => pairs.map(({ measured, floor }) => measured - floor);
