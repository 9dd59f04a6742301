/** The fuzzers' seeds and kept inputs: every parser takes them, under the sanitizers, without a complaint. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

const root = process.env['MOSRUN_SOURCE'] ?? process.cwd();
const noTools = 3;

void test('the kept inputs of all fuzzers', { timeout: 600_000 }, (context) => {
  const words = [path.join(root, 'scripts/fuzz.mjs'), '--replay'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status === noTools) {
    context.skip(stderr.trim());
    return;
  }
  assert.equal(status, 0, stderr);
  const replayed = stdout.trim().split('\n');
  for (const line of replayed) assert.match(line, /^\w+ +\d+ inputs, nothing found$/);
  assert.ok(replayed.length >= 15, `only ${replayed.length} fuzzers were run`);
});
