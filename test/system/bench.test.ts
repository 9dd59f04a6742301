/** The benchmarks run; what they find is no matter of right or wrong, and is not judged here. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Result } from '../../bench/report.js';
import { repository, whyNoTestbed } from './testbed.js';

const bench = (...words: string[]) =>
  spawnSync('node', ['scripts/bench.mjs', '--no-build', ...words], { cwd: repository, encoding: 'utf8', timeout: 60_000 });

void test('npm run bench takes a figure beside its floor', { skip: whyNoTestbed() ?? false }, () => {
  const file = path.join(repository, 'build/bench/quick/local-calls.json');
  rmSync(file, { force: true });
  const { status, stdout, stderr } = bench('--quick', 'local-calls');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^ {2}getpid +\S+ (ns|µs) +\S+ (ns|µs) +\S+ \(\S+ to \S+\)/m);
  const { figures, machine, quick } = JSON.parse(readFileSync(file, 'utf8')) as Result;
  assert.equal(quick, true);
  assert.match(machine.processors, /^\d+ × \S/);
  assert.ok(figures.length >= 3);
  for (const { pairs, ratio, name } of figures) {
    assert.equal(pairs.length, 3, name);
    assert.ok(
      pairs.every(({ measured, floor }) => measured > 0 && floor > 0),
      name,
    );
    assert.ok(ratio.low <= ratio.median && ratio.median <= ratio.high, name);
  }
});

void test('npm run bench refuses what it does not know', () => {
  for (const words of [['--frobnicate'], ['frobnicate'], ['--quick', '--document']]) {
    const { status, stdout, stderr } = bench(...words);
    assert.deepEqual([status, stdout], [1, ''], words.join(' '));
    assert.match(stderr, /^bench: /);
  }
});
