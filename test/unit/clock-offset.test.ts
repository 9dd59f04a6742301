import assert from 'node:assert/strict';
import { test } from 'node:test';
import { better, clockOffset } from '../../lib/cluster/index.js';
import { SimulatedClock } from '../../simulate/simulated-clock.js';

/** What a clock that is so far off shows, asked after so long, with so long a way back. */
function asked(clock: SimulatedClock, offset: number, there: number, back: number) {
  const askedAt = clock.seconds();
  clock.runUntil(askedAt + there);
  const shown = clock.wallSeconds() + offset;
  clock.runUntil(clock.seconds() + back);
  return clockOffset(clock, shown, askedAt);
}

test('another clock is told from this one as exactly as the exchange was short', () => {
  const clock = new SimulatedClock();
  for (const [there, back] of [
    [0.001, 0.001],
    [0.05, 0.001],
    [0, 2],
  ] as const) {
    const { seconds, error } = asked(clock, -12, there, back);
    assert.ok(Math.abs(error - (there + back) / 2) < 1e-9);
    assert.ok(Math.abs(seconds + 12) <= error + 1e-9, `${seconds} within ${error}`);
  }
});

test('of several exchanges the one that took least counts, for a while, and none against what came later and cannot be true with it', () => {
  const clock = new SimulatedClock();
  const short = asked(clock, 3, 0.001, 0.001);
  const long = asked(clock, 3, 0.4, 0.001);
  assert.equal(better(null, long), long);
  assert.equal(better(long, short), short);
  assert.equal(better(short, long), short);
  clock.runUntil(clock.seconds() + 3600);
  const later = asked(clock, 3, 0.1, 0.1);
  assert.equal(better(short, later), later, 'clocks go apart');
  const set = asked(clock, 60, 0.4, 0.4);
  assert.equal(better(later, set), set);
});
