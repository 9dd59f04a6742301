/**
 * How fast one processor of this node is, 10000 being the standard core. A short computation, measured once after each boot; the fastest of many
 * pieces, since others may be using the processor meanwhile.
 */
import * as z from 'zod';
import { readJson, writeAtomically } from '../shared/files.js';
import { STANDARD_SPEED } from './cost.js';

const PIECES = 40;
const PIECE_STEPS = 200_000;
/** Of a piece on the standard core: one of a 3 GHz server processor of about 2020. */
const STANDARD_PIECE_SECONDS = 400e-6;

/** Integer arithmetic in a dependent chain, as xorshift32 (Marsaglia 2003): neither memory nor the compiler's cleverness play a part. */
function piece(seed: number): number {
  let x = seed | 1;
  for (let step = 0; step < PIECE_STEPS; step++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

function measure(): number {
  let seed = 1;
  let best = Number.POSITIVE_INFINITY;
  for (let each = 0; each < PIECES; each++) {
    const began = performance.now();
    seed = piece(seed);
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  return Math.round((STANDARD_SPEED * STANDARD_PIECE_SECONDS) / best);
}

const cached = z.object({ version: z.literal(1), boot_id: z.string(), speed: z.int().positive() });

/** @param file where it is kept for as long as the machine is up. */
export function speedOfCore(file: string, bootId: string): number {
  const kept = cached.safeParse(readJson(file));
  if (kept.success && kept.data.boot_id === bootId) return kept.data.speed;
  const speed = measure();
  writeAtomically(file, JSON.stringify({ version: 1, boot_id: bootId, speed }));
  return speed;
}
