/** Benchmarks tell medians with intervals that hold; a wrong one would make noise look like a fact. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figure, turns } from '../../bench/figure.js';
import { quantity } from '../../bench/report.js';
import { differences, estimate, median, ratios } from '../../bench/statistics.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, k) => k + 1);

void test('the median of odd, even, unsorted and no values', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
});

void test('the interval of a median is that of the tables of order statistics', () => {
  // Ranks and coverage of the 95 % interval of the median, as in tables of the binomial distribution with p = 1/2.
  for (const [n, rank, confidence] of [
    [6, 1, 0.969],
    [9, 2, 0.961],
    [10, 2, 0.979],
    [20, 6, 0.959],
    [30, 10, 0.957],
    [100, 40, 0.965],
  ] as const) {
    const { low, high, confidence: found } = estimate(upTo(n));
    assert.deepEqual([low, high], [rank, n - rank + 1], `${n} values`);
    assert.equal(found.toFixed(3), confidence.toFixed(3), `${n} values`);
  }
});

void test('too few values give their extremes, and the confidence that these have', () => {
  assert.deepEqual(estimate([3, 1, 2]), { median: 2, low: 1, high: 3, confidence: 0.75 });
  assert.deepEqual(estimate([5]), { median: 5, low: 5, high: 5, confidence: 0 });
});

void test('the interval holds the true median as often as it says', () => {
  // A generator of its own (Park and Miller), so that the test is the same every time; skewed values, as times are.
  let state = 42;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const truth = Math.log(2);
  const trials = 2000;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = estimate(upTo(20).map(() => -Math.log(random())));
    if (low <= truth && truth <= high) held++;
  }
  assert.ok(Math.abs(held / trials - 0.959) < 0.015, `${held} of ${trials}`);
});

void test('pairs are compared round by round', () => {
  const pairs = [
    { measured: 20, floor: 10 },
    { measured: 300, floor: 100 },
    { measured: 8, floor: 8 },
  ];
  assert.deepEqual(ratios(pairs), [2, 3, 1]);
  assert.deepEqual(differences(pairs), [10, 200, 0]);
  const description = { name: 'n', measures: 'm', against: 'a', unit: 's' as const };
  const holds = ({ ratio }: { ratio: { median: number } }): boolean => ratio.median <= 1.5;
  const result = figure({ ...description, aim: { text: 'at most 1.5', holds } }, pairs);
  assert.deepEqual([result.ratio.median, result.difference.median], [2, 10]);
  assert.deepEqual(result.aim, { text: 'at most 1.5', met: false });
  assert.equal(figure(description, pairs).aim, null);
});

void test('measured value and floor take turns, and the round to warm up is not counted', async () => {
  const order: string[] = [];
  const take = (what: string) => async () => order.push(what);
  assert.equal((await turns(3, take('measured'), take('floor'))).length, 3);
  assert.equal(order.join(' '), 'measured floor floor measured measured floor floor measured');
});

void test('quantities have a unit that fits and three digits', () => {
  assert.equal(quantity(0.0000271, 's'), '27.1 µs');
  assert.equal(quantity(0.00123, 's'), '1.23 ms');
  assert.equal(quantity(2.2e-7, 's'), '220 ns');
  assert.equal(quantity(-0.0000042, 's'), '-4.20 µs');
  assert.equal(quantity(1.5 * 2 ** 30, 'B/s'), '1.50 GiB/s');
  assert.equal(quantity(145 * 2 ** 20, 'B/s'), '145 MiB/s');
});
