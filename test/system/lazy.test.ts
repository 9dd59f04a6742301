/** `mosrun --lazy`: a program is away at once, and its memory follows as it is touched. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bears, churn, churns, dirty, moveOn } from './moving.js';
import { isShort, whySkipped } from './programs.js';
import { Workplace } from './storm.js';
import { note, sleep, Testbed, whyNoTestbed } from './testbed.js';

describe('lazy moves', { skip: whyNoTestbed() ?? whySkipped(churn) ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();

  before(async () => {
    testbed = await Testbed.up(3);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  void test('a program of 128 MiB goes with next to nothing, and finds all of its memory', { timeout: 120_000 }, async () => {
    const { pid, look, end } = await dirty(testbed, workplace, [128, 10], '--lazy');
    const told: string[] = [];
    for (const to of ['node2', 'node3', 'home', 'node2', 'home', 'node3', 'node2']) {
      const { freeze_seconds: frozen, bytes } = await moveOn(testbed, pid, to);
      told.push(`${to} ${(bytes / 2 ** 20).toFixed(1)} MiB, ${(frozen * 1000).toFixed(1)} ms`);
      if (told.length === 1) assert.ok(bytes < 2 ** 22, `${bytes} bytes to ${to}`);
      // On the second stay it goes before it has looked at its memory: that of the first comes from home still.
      if (to !== 'node3') await look(`on the way to ${to}`);
    }
    note(told.join(', '));
    await end();
  });

  void test('what it has not touched is at home still when it is back', { timeout: 120_000 }, async () => {
    const { pid, look, end } = await dirty(testbed, workplace, [64, 0], '--lazy');
    await moveOn(testbed, pid, 'node2');
    await sleep(0.2);
    const { bytes } = await moveOn(testbed, pid, 'home');
    note(`${(bytes / 2 ** 20).toFixed(1)} MiB came back`);
    assert.ok(bytes < 48 * 2 ** 20, `${bytes} bytes came back`);
    await look('at home');
    await end();
  });

  void test('children get all the memory of their parents, wherever it is', { timeout: 120_000 }, () =>
    bears(testbed, workplace, '--lazy'),
  );

  void test('threads and children that map, unmap, move, give up and write memory', { timeout: 300_000 }, () =>
    churns(testbed, workplace, isShort ? 30 : 100, '--lazy'),
  );

  void test('a link that is cut for a while keeps it waiting for what is at home', { timeout: 120_000 }, async () => {
    const { pid, look, end } = await dirty(testbed, workplace, [64, 0], '--lazy');
    await moveOn(testbed, pid, 'node2');
    await testbed.control('cut', '2');
    const looked = look('after the cut');
    await sleep(4);
    await testbed.control('heal', '2');
    await looked;
    await end();
  });
});
