/** A cluster that falls apart and comes together again, and nodes that die with what is theirs and what is others': who is not concerned does not notice. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'smol-toml';
import type { StatusDocument } from '../../lib/shared/documents.js';
import { guestProcess } from './kernel.js';
import { whySkipped } from './programs.js';
import { note, type Running, sleep, Testbed, until, whyNoTestbed } from './testbed.js';

const skip = whyNoTestbed() ?? whySkipped({ needs: ['python3'] } as never) ?? false;

/** Of the bound: a death is known after 2 log2 N + 3 steps of half a second, and counts after the time-out. */
const BOUND_SECONDS = 2 + (2 * Math.log2(4) + 3) * 0.5 + 5;

/** Asks its home for the time of day, so to speak, ten times a second: one that does not hear from there stands still. */
const asking = [
  'import os, signal, sys, time',
  'going = True',
  'def end(*_):',
  '    global going',
  '    going = False',
  'signal.signal(signal.SIGTERM, end)',
  'n = 0; kept = os.urandom(1 << 20); same = bytes(kept)',
  'print("ready", flush=True)',
  'while going:',
  '    os.stat("/"); n += 1; sys.stderr.write("."); sys.stderr.flush(); time.sleep(0.1)',
  'print("as it was" if kept == same else "wrong")',
].join('\n');

interface Program {
  name: string;
  home: number;
  away: number;
  pid: number;
  running: Running;
}

describe('nodes that lose each other', { skip, timeout: 240_000 }, () => {
  let testbed: Testbed;
  const programs: Program[] = [];
  const events = new Map<number, Running>();
  before(async () => {
    testbed = await Testbed.up(4);
    for (const node of [1, 2, 3, 4]) events.set(node, testbed.start(node, ['mosctl', 'events', '--json'], { timeout: 230 }));
  });
  after(async () => {
    for (const one of events.values()) one.kill('SIGKILL');
    await testbed?.down();
  });

  const states = async (node: number): Promise<string> =>
    (await (await testbed.daemon(node)).nodes())
      .map(({ name, state }) => `${name} ${state}`)
      .toSorted((one, other) => (one < other ? -1 : 1))
      .join(', ');
  const all = (down: readonly number[]): string =>
    [1, 2, 3, 4].map((node) => `node${node} ${down.includes(node) ? 'down' : 'up'}`).join(', ');
  async function sees(node: number, down: readonly number[]): Promise<void> {
    await until(async () => (await states(node)) === all(down), BOUND_SECONDS, `node${node} to see ${all(down)}`);
  }
  const told = (node: number, type: string, name: string): { why: string | null } | undefined =>
    events
      .get(node)
      ?.stdout.split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { type: string; name?: string; why: string | null })
      .findLast((one) => one.type === type && one.name === name);

  /** One whose home has a python3: node 1 alone has the machine's files, so others get what they run from there. */
  async function start(name: string, home: number, away: number): Promise<Program> {
    const command = home === 1 ? ['python3', '-c', asking] : ['mostestload', '--cpu', '0', '--progress'];
    const running = testbed.start(home, ['mosrun', '-h', '-l', '-J', name, ...command], { timeout: 230 });
    const find = async () => (await (await testbed.daemon(home)).processes()).find((one) => one.job === name);
    if (home === 1) await running.says('ready');
    const found = await until(
      async () => {
        const one = await find();
        return one && /^(python3|mostestload)/.test(one.command) ? one : null;
      },
      20,
      `${name} to be started`,
    );
    const { status, stderr } = await testbed.run(home, ['migrate', `${found.pid}`, `node${away}`, '--wait']);
    assert.equal(status, 0, stderr);
    const program = { name, home, away, pid: found.pid, running };
    programs.push(program);
    return program;
  }
  const asked = ({ running }: Program): number => running.stderr.length + running.stdout.length;
  async function goesOn(program: Program): Promise<void> {
    const from = asked(program);
    await until(() => asked(program) > from + 1, 10, `${program.name} to go on`);
    assert.equal(program.running.ended, false);
  }

  void test('two halves: each side goes on, and what spans both when they are one again', async () => {
    const near = await start('near', 1, 2);
    const spans = await start('spans', 1, 3);
    const far = await start('far', 3, 4);
    await testbed.control('part', '3', '4');
    await sleep(0.5);
    const from = asked(spans);
    const began = performance.now();
    await Promise.all([sees(1, [3, 4]), sees(2, [3, 4]), sees(3, [1, 2]), sees(4, [1, 2])]);
    note(`both halves know after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    for (const program of [near, far]) await goesOn(program);
    assert.equal(asked(spans), from, 'one that does not reach its home stands still');
    assert.equal(spans.running.ended, false);
    const refused = await testbed.run(1, ['migrate', `${near.pid}`, 'node4', '--wait']);
    assert.match(refused.stderr, /node4 is down \(.*\): see mosctl nodes/);
    for (const [node, other] of [
      [1, 'node3'],
      [4, 'node2'],
    ] as const)
      assert.ok(told(node, 'node-down', other)?.why, `node${node} has told of ${other}, and why`);

    await testbed.control('part');
    const healed = performance.now();
    await Promise.all([1, 2, 3, 4].map((node) => sees(node, [])));
    note(`all know of each other again after ${((performance.now() - healed) / 1000).toFixed(1)} s`);
    await until(() => told(1, 'node-up', 'node3'), 5, 'node1 to have told of node3');
    for (const program of programs) await goesOn(program);
    assert.equal((await testbed.run(1, ['migrate', `${near.pid}`, 'node4', '--wait'])).status, 0);
    assert.equal((await testbed.run(1, ['migrate', `${near.pid}`, 'node2', '--wait'])).status, 0);
  });

  void test('a node dies with guests on it, and with homes on it: those end, with a word, and nobody else', async () => {
    const guest = await start('guest', 1, 4);
    const owned = await start('owned', 4, 2);
    const others = programs.filter(({ home, away }) => home !== 4 && away !== 4);
    assert.ok(others.length >= 2);
    assert.ok(guestProcess(testbed, 2, owned.pid));
    await testbed.control('crash', '4');
    await sees(1, [4]);
    for (const program of others) await goesOn(program);
    // Its home is gone, and so it ends where it was; the other's home hears that nobody is there any more.
    await until(() => guestProcess(testbed, 2, owned.pid) === undefined, 60, 'a guest without a home to end');
    const outcome = await guest.running.within(90);
    assert.equal(outcome?.signal, 'SIGKILL');
    assert.match(outcome?.stderr ?? '', new RegExp(`mosrun: process ${guest.pid} is lost: .*\\n`));
    assert.ok(told(1, 'node-down', 'node4')?.why);
    await testbed.control('boot', '4');
    await sees(1, []);
    for (const program of others) await goesOn(program);
  });

  void test('a configuration that contradicts the others is told of, and harms nobody', async () => {
    const { directory: own } = testbed.node(2);
    const file = path.join(own, 'etc/mosrun.toml');
    const right = readFileSync(file, 'utf8');
    const { mosd_pid: mosd } = testbed.node(2);
    assert.ok(mosd);
    const read = async (text: string): Promise<StatusDocument> => {
      writeFileSync(file, text);
      process.kill(mosd, 'SIGHUP');
      await sleep(0.5);
      return (await testbed.daemon(2)).status();
    };
    const configuration = parse(right) as { nodes: { name: string; number: number; address: string }[] };
    const change = (edit: (nodes: typeof configuration.nodes) => void): string => {
      const copy = structuredClone(configuration);
      edit(copy.nodes);
      return stringify(copy);
    };
    // Of itself: refused with the line.
    const twice = await read(change((nodes) => nodes.forEach((one) => (one.number = 1))));
    assert.match(twice.configuration.error ?? '', /another node has number 1 already/);
    // Of others: it looks for node3 where node1 is. Who answers there shows a certificate of another name, and is not believed.
    const wrong = await read(
      change((nodes) => {
        const [one, , three, four] = nodes;
        if (one && three && four) [three.address, four.address] = [four.address, three.address];
      }),
    );
    assert.equal(wrong.configuration.error, null);
    // That node3 is there it hears from that one itself all the same; but it asks in vain, and sends nobody.
    const refused = await testbed.run(2, ['mosrun', '-r', 'node3', 'true']);
    note(`node2 says of node3: ${refused.stderr.trim()}`);
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /node3 .*cert/);
    assert.equal(await states(1), all([]));
    for (const program of programs.filter(({ running }) => !running.ended)) await goesOn(program);
    await read(right);
    await sees(2, []);
  });

  void test('the programs end as if nothing had been', async () => {
    for (const { name, home, pid, running } of programs.filter((one) => !one.running.ended)) {
      await testbed.kill(home, pid);
      const outcome = await running.within(20);
      if (home === 1) assert.deepEqual([outcome?.status, outcome?.stdout], [0, 'ready\nas it was\n'], name);
      else assert.ok(outcome?.signal === 'SIGTERM' || outcome?.status === 143, name);
    }
  });
});
