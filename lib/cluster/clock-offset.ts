/**
 * How far another node's clock is from this one's, by the exchanges there are anyway: what it showed it showed between the question and the answer.
 *
 * Mills and others, RFC 5905 (Network Time Protocol), sections 8 and 10: of several exchanges the one that took least says most.
 */
import type { Clock } from '../shared/clock.js';

export interface ClockOffset {
  /** Its clock less this one. */
  seconds: number;
  /** It may be so much more or less. */
  error: number;
  /** When that was found out, by this node's clock that never goes back. */
  at: number;
}

/** Two clocks go apart by no more than that in a second, unless one of them is set. */
const DRIFT = 100e-6;

/** @param shown by the other clock, since 1970. @param askedAt when the question was sent, of the clock that never goes back. */
export function clockOffset(clock: Clock, shown: number, askedAt: number): ClockOffset {
  const at = clock.seconds();
  const half = Math.max(0, at - askedAt) / 2;
  return { seconds: shown - (clock.wallSeconds() - half), error: half, at };
}

/** Which of what was known and what has just been found out to go by. */
export function better(known: ClockOffset | null, found: ClockOffset): ClockOffset {
  if (!known) return found;
  const error = known.error + (found.at - known.at) * DRIFT;
  // Where both cannot be true one of the clocks has been set meanwhile.
  const isSet = Math.abs(found.seconds - known.seconds) > error + found.error;
  return isSet || found.error <= error ? found : known;
}
