import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { GroupUsages } from '../../lib/processes/index.js';
import { ManualClock } from './manual-clock.js';

/** Directories that look like control groups. */
function groups(context: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-groups-'));
  context.after(() => {
    rmSync(directory, { recursive: true });
  });
  const clock = new ManualClock();
  let reads = 0;
  const usages = new GroupUsages({
    clock,
    usages: (descriptors) => {
      reads++;
      return Float64Array.from(descriptors, (one) => Number(readFileSync(`/proc/self/fd/${one}`, 'utf8')));
    },
  });
  context.after(() => {
    usages.clear();
  });
  const used = (name: string, text: string): string => {
    const group = path.join(directory, name);
    mkdirSync(group, { recursive: true });
    writeFileSync(path.join(group, 'cpu.stat'), text);
    return group;
  };
  return { clock, usages, used, reads: () => reads };
}

test('what a group has used is known as of the last reading, and of one without a file nothing ever', async (context) => {
  const { clock, usages, used, reads } = groups(context);
  usages.add(1, used('one', '10'));
  usages.add(2, used('two', '20'));
  usages.add(3, '/nonexistent');
  assert.ok(Number.isNaN(usages.of(1)), 'nothing has been read');
  usages.refresh();
  assert.deepEqual([usages.of(1), usages.of(2), usages.of(3)], [10, 20, Number.NaN]);
  used('one', '11');
  await clock.advance(1);
  usages.refresh(2);
  assert.equal(reads(), 1, 'that is new enough');
  assert.equal(usages.of(1), 10);
  usages.refresh();
  assert.deepEqual([usages.of(1), usages.of(2)], [11, 20]);
});

test('a job that has ended is not read any more', (context) => {
  const { usages, used } = groups(context);
  usages.add(1, used('one', '10'));
  usages.add(2, used('two', '20'));
  usages.refresh();
  usages.remove(1);
  assert.ok(Number.isNaN(usages.of(1)));
  usages.refresh();
  assert.equal(usages.of(2), 20);
});
