/** One figure: what was measured, round by round, beside its floor. */
import { type Estimate, type Pair, differences, estimate, ratios } from './statistics.js';

/** '': a count. */
export type Unit = 's' | 'B/s' | 'B' | '';

export interface Figure {
  name: string;
  /** What the measured value and the floor are. */
  measures: string;
  against: string;
  unit: Unit;
  /** That one measured operation moves; null where that means nothing. */
  bytes: number | null;
  measured: Estimate;
  floor: Estimate;
  ratio: Estimate;
  difference: Estimate;
  aim: Aim | null;
  pairs: Pair[];
}

export interface Aim {
  text: string;
  met: boolean;
}

/** What a figure should be, from its medians; without a judge it is only shown. */
export interface Judge {
  text: string;
  holds: (figure: Omit<Figure, 'aim'>) => boolean;
}

export interface Description {
  name: string;
  measures: string;
  against: string;
  unit: Unit;
  bytes?: number;
  aim?: Judge;
}

export function figure({ aim, bytes, ...description }: Description, pairs: Pair[]): Figure {
  const result = {
    ...description,
    bytes: bytes ?? null,
    measured: estimate(pairs.map(({ measured }) => measured)),
    floor: estimate(pairs.map(({ floor }) => floor)),
    ratio: estimate(ratios(pairs)),
    difference: estimate(differences(pairs)),
    pairs,
  };
  return { ...result, aim: aim ? { text: aim.text, met: aim.holds(result) } : null };
}

/** Measured value and floor in turns, each first in every other round, so that neither a drift nor what one leaves behind favours one. */
export async function turns<M, F>(
  rounds: number,
  measured: () => Promise<M>,
  floor: () => Promise<F>,
  { warm = false } = {},
): Promise<{ measured: M; floor: F }[]> {
  const taken: { measured: M; floor: F }[] = [];
  // The round before the first fills caches and is not counted; `warm`: they are full.
  for (let round = warm ? 0 : -1; round < rounds; round++) {
    let pair: { measured: M; floor: F };
    if (round % 2 === 0) {
      const first = await floor();
      pair = { measured: await measured(), floor: first };
    } else {
      pair = { measured: await measured(), floor: await floor() };
    }
    if (round >= 0) taken.push(pair);
  }
  return taken;
}
