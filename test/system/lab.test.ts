/** A sample of the laboratory: every so many-th behaviour. All of them: npm run lab. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { Bench, behaviours, compileAll, whyNoLaboratory } from '../lab/laboratory.js';
import { note, repository, whyNoTestbed } from './testbed.js';

const every = 24;
/** And those that changes of the engine have broken before. */
const always = /^(files\/endless-devices|ipc\/random-bytes|ipc\/posix-queue-notifies)$/;
const sample = behaviours().filter(({ name }, index) => index % every === 0 || always.test(name));

describe('the laboratory', { skip: whyNoTestbed() ?? whyNoLaboratory() ?? false }, () => {
  let bench: Bench;

  before(async () => {
    assert.deepEqual(await compileAll(sample), []);
    const worker = path.join(repository, 'build/lab/worker.mjs');
    const source = path.join(repository, 'test/lab/worker.ts');
    await build({ entryPoints: [source], outfile: worker, bundle: true, platform: 'node', format: 'esm', packages: 'external' });
    bench = await Bench.open(worker);
  });
  after(() => bench?.close());

  for (const behaviour of sample)
    void test(`${behaviour.name}: ${behaviour.what}`, { timeout: 240_000 }, async (t) => {
      const { troubles, moves, during, skipped } = await bench.judge(behaviour, { seed: 1, repeats: 1 });
      if (skipped) return t.skip(skipped);
      note(`${moves} moves, ${during} during a call`);
      assert.deepEqual(troubles, []);
    });
});
