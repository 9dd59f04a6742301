/** A cluster whose machines are another's by night: long programs go out in the evening, are at home or frozen by day, and come to their end. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { GuestDocument, OperationDocument, ProcessDocument } from '../../lib/shared/documents.js';
import { isShort, whySkipped } from './programs.js';
import { note, type Running, Testbed, until, whyNoTestbed } from './testbed.js';

const skip = whyNoTestbed() ?? whySkipped({ needs: ['python3'] } as never) ?? false;
const count = 8;

/** Looks again and again whether what it keeps is what it was, until it is told to end. */
const program = `
import hashlib, os, select, sys
parts = [os.urandom(6 << 20) for n in range(8)]; sums = [hashlib.md5(part).digest() for part in parts]; turns = 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.02)[0]:
    assert hashlib.md5(parts[turns % 8]).digest() == sums[turns % 8]
    turns += 1
    print(".", end="", file=sys.stderr, flush=True)
print("as it was", turns > 0 and [hashlib.md5(part).digest() for part in parts] == sums, flush=True)`;

describe('nights and days', { skip, timeout: 240_000 }, () => {
  let testbed: Testbed;
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-nights-'));
  const all: Running[] = [];
  before(async () => {
    chmodSync(directory, 0o755);
    // At home there is room for three or four of the eight.
    testbed = await Testbed.up(3, '--cluster', 'a:1,b:2', '--automatic', '--memory', '420M,1500M,1500M');
    const etc = path.join(testbed.node(1).directory, 'etc');
    writeFileSync(
      path.join(etc, 'freeze.toml'),
      `directory = "${path.join(directory, 'images')}"\n[class.default]\nminimum = 0\nslice_minutes = 0.05\n`,
    );
    await testbed.reload(1);
    assert.match(readFileSync(path.join(etc, 'freeze.toml'), 'utf8'), /slice/);
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  const processes = async (): Promise<ProcessDocument[]> => (await testbed.daemon(1)).processes();
  const guests = async (node: number): Promise<GuestDocument[]> => (await (await testbed.daemon(node)).listing()).guests;
  const turns = (): number[] => all.map(({ stderr }) => stderr.length);
  async function getOn(which: (one: number) => boolean, seconds: number, what: string): Promise<void> {
    const from = turns();
    await until(() => turns().every((now, index) => !which(index) || now > (from[index] ?? 0)), seconds, what);
    for (const one of all) assert.equal(one.ended, false, one.stderr);
  }
  async function day(): Promise<void> {
    const [two, three] = await Promise.all(
      [2, 3].map((node) => testbed.json<OperationDocument>(node, 'mosctl', 'isolate', '--json')),
    );
    assert.ok(two && three);
    assert.deepEqual([two.state, three.state, await guests(2), await guests(3)], ['done', 'done', [], []]);
    const states = (await processes()).map(({ state }) => state);
    assert.equal(states.length, count, 'none is lost');
    const frozen = states.filter((state) => state === 'frozen').length;
    note(
      `by day ${count - frozen} run at home, and ${frozen} are frozen, after ${Math.max(two.seconds, three.seconds).toFixed(1)} s`,
    );
    assert.ok(frozen >= 2);
    assert.match((await testbed.run(2, ['mosctl', 'status'])).stdout, /isolated +has nothing to do with other clusters/);
  }
  async function night(): Promise<void> {
    for (const node of [2, 3]) assert.equal((await testbed.run(node, ['mosctl', 'rejoin'])).status, 0);
    // One that is on its way is neither frozen nor away.
    const away = await until(
      async () => {
        const now = await processes();
        const there = now.filter(({ where }) => where !== 'node1').length;
        return there >= 2 && now.every(({ state }) => state !== 'frozen') ? there : undefined;
      },
      60,
      'none to be frozen, and two at least to be away',
    );
    note(`by night ${away} are away`);
  }

  void test('they go out, come back, are frozen in turns, go out again, and end with the right answer', async () => {
    for (let each = 0; each < count; each++) {
      const where = `node${2 + (each % 2)}@b`;
      const command = ['mosrun', '-G', '-l', '-r', where, '-J', `night${each}`, 'python3', '-c', program];
      const running = testbed.start(1, command, { user: 'nobody', talks: true, timeout: 230 });
      await running.says('ready', 30);
      all.push(running);
    }
    await getOn(() => true, 20, 'all to get on by night');
    await day();
    await getOn(() => true, 60, 'each to get on by day, in its turn');
    const refused = await testbed.run(1, ['mosrun', '-G', '-r', 'node2@b', 'true'], { user: 'nobody' });
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /it is isolated from other clusters \(mosctl rejoin\)/);
    await night();
    await getOn(() => true, 20, 'all to get on by night');
    if (!isShort) await day();
    for (const { child } of all) child.stdin?.end('\n');
    for (const one of all) {
      const outcome = await one.within(90);
      assert.deepEqual([outcome?.status, outcome?.stdout], [0, 'ready\nas it was True\n'], outcome?.stderr);
    }
  });
});
