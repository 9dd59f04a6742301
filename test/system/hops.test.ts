/** Moves from hosting node to hosting node: the program is none the wiser, home carries nothing of it, and nothing is left behind. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { count, guestProcess, homeProcess } from './kernel.js';
import { endlessPython, endlessThreads, isShort, type Program, programs, whySkipped } from './programs.js';
import { pidOf, Storm, Workplace } from './storm.js';
import { note, sleep, Testbed, until, whyNoTestbed } from './testbed.js';

/** MOSRUN_TEST_HOPS=300 for as many as the project promises. */
const hops = Number(process.env['MOSRUN_TEST_HOPS'] ?? (isShort ? 40 : 60));
const bash = programs.find(({ needs }) => needs.includes('bash')) as Program;

describe('hops', { skip: whyNoTestbed() ?? whySkipped(endlessPython) ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();

  before(async () => {
    testbed = await Testbed.up(3);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  const onward = (storm: Storm) => storm.moves.filter(({ from, to }) => from !== 'node1' && to !== 'home');
  const told = (storm: Storm): string => {
    const freezes = onward(storm)
      .map((move) => move.freeze_seconds)
      .toSorted((a, b) => a - b);
    const middle = ((freezes[freezes.length >> 1] ?? 0) * 1000).toFixed(1);
    return `${freezes.length} hops among ${storm.moves.length} moves, frozen ${middle} ms in the middle`;
  };
  /** A program has files that come and go: those that stay are the fewest in half a second. */
  async function fewest(pid: number): Promise<number> {
    let descriptors = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 50; turn++, await sleep(0.01)) descriptors = Math.min(descriptors, count(`/proc/${pid}/fd`));
    return descriptors;
  }
  const nobodyAway = (pid: number) => guestProcess(testbed, 2, pid) === undefined && guestProcess(testbed, 3, pid) === undefined;

  for (const program of [endlessPython, endlessThreads]) {
    void test(`${hops} hops of ${program.name}`, { skip: whySkipped(program) ?? false, timeout: 300_000 }, async () => {
      program.make?.();
      const running = testbed.start(1, ['mosrun', ...program.command], { cwd: workplace.empty(), timeout: 280 });
      await running.says('ready');
      const pid = await pidOf(testbed, program.command.slice(1).join(' '));
      const home = homeProcess(testbed, 1, pid) ?? 0;
      const before = await fewest(home);
      // Ten hops in each twelve moves.
      const storm = new Storm(testbed, pid, { moves: Math.ceil(hops * 1.2), away: [0, 0.02], on: 'node3', tree: false });
      await storm.end(250);
      note(told(storm));
      assert.deepEqual(storm.trouble, []);
      assert.ok(onward(storm).length >= hops, `${onward(storm).length} hops are fewer than ${hops}`);
      await testbed.run(1, ['migrate', String(pid), 'home', '--wait']);
      await until(() => nobodyAway(pid), 5, 'both guests to be gone');
      const left = await fewest(home);
      assert.ok(left <= before, `${left} descriptors at home, ${before} before`);
      await testbed.kill(1, pid);
      const outcome = await running.done;
      assert.deepEqual([outcome.status, outcome.stderr], [0, '']);
      assert.match(outcome.stdout, /^ready\nall (blocks|rounds) are equal/);
    });
  }

  void test(`${hops} hops of a bash script and its children`, { skip: whySkipped(bash) ?? false, timeout: 300_000 }, async () => {
    bash.make?.();
    const plain = await testbed.run(1, bash.command, { cwd: workplace.empty(), timeout: 100 });
    const expected = workplace.trace(plain);
    let passed = 0;
    for (let round = 1; passed < hops; round++) {
      const running = testbed.start(1, ['mosrun', ...bash.command], { cwd: workplace.empty(), timeout: 200 });
      const pid = await pidOf(testbed, bash.command.join(' '));
      const storm = new Storm(testbed, pid, { away: [0, 0.005], on: 'node3', seed: round });
      const outcome = await running.done;
      await storm.end(20);
      note(told(storm));
      assert.deepEqual(storm.trouble, []);
      assert.deepEqual(workplace.trace(outcome), expected);
      passed += onward(storm).length;
      assert.ok(round < 12, `only ${passed} hops in ${round} runs`);
    }
  });

  void test('a program of 256 MB hops past home: its memory does not pass there', { timeout: 120_000 }, async () => {
    const program = [
      'import hashlib, os, signal',
      'memory = b"".join(os.urandom(1 << 20) for n in range(256))',
      'sum = hashlib.md5(memory).hexdigest()',
      'signal.signal(signal.SIGTERM, lambda *_: None)',
      'print("ready", flush=True)',
      'signal.pause()',
      'print(len(memory) >> 20, hashlib.md5(memory).hexdigest() == sum)',
    ].join('\n');
    const running = testbed.start(1, ['mosrun', 'python3', '-c', program], { cwd: workplace.empty(), timeout: 100 });
    await running.says('ready');
    const pid = await pidOf(testbed, 'python3 -c');
    const move = async (to: string) => {
      const { status, stderr, stdout } = await testbed.run(1, ['migrate', String(pid), to, '--wait', '--json']);
      assert.equal(status, 0, stderr + stdout);
      return JSON.parse(stdout) as { bytes: number; freeze_seconds: number };
    };
    /** Bytes that all of node1's interfaces but the loopback have received and sent (proc(5), net/dev). */
    const carried = async () => {
      const { stdout } = await testbed.run(1, ['cat', '/proc/net/dev']);
      const lines = stdout.split('\n').map((line) => line.trim().split(/[\s:]+/));
      const interfaces = lines.filter(
        ([name, ...figures]) => name !== 'lo' && figures.length === 16 && /^\d+$/.test(figures[0] ?? ''),
      );
      assert.ok(interfaces.length > 0, stdout);
      return interfaces.reduce((sum, figures) => sum + Number(figures[1]) + Number(figures[9]), 0);
    };
    await move('node2');
    const before = await carried();
    const { bytes, freeze_seconds } = await move('node3');
    const passed = (await carried()) - before;
    note(
      `${(bytes / 2 ** 20).toFixed(0)} MiB hopped, frozen ${(freeze_seconds * 1000).toFixed(0)} ms; ${(passed / 1024).toFixed(0)} KiB passed home`,
    );
    assert.ok(bytes > 256 * 2 ** 20);
    assert.ok(passed < 1_000_000, `${passed} bytes passed home`);
    await testbed.kill(1, pid);
    const outcome = await running.done;
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, 'ready\n256 True\n', '']);
  });
});
