/** Whatever fails before the commit leaves the program at home, unharmed; whatever dies afterwards leaves nothing behind. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { parse, stringify } from 'smol-toml';
import { alive, guestProcess, homeProcess } from './kernel.js';
import { python, whySkipped } from './programs.js';
import { listed, pidOf, Storm, Workplace } from './storm.js';
import { repository, type Running, sleep, Testbed, until, whyNoTestbed, note } from './testbed.js';

const noTestbed = whyNoTestbed() ?? whySkipped(python);
const faultyPort = 7171;

interface Listing {
  where: string;
  state: string;
}

describe('migrations that fail', { skip: noTestbed ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();
  let expected: unknown;

  before(async () => {
    testbed = await Testbed.up(2);
    expected = workplace.trace(await testbed.run(1, python.command, { cwd: workplace.empty() }));
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });
  afterEach(async () => {
    await testbed.killStrays(1);
    await testbed.killStrays(2);
  });

  async function startPython(): Promise<[Running, number]> {
    const running = testbed.start(1, ['mosrun', ...python.command], { cwd: workplace.empty(), timeout: 120 });
    return [running, await pidOf(testbed, python.command.slice(1).join(' '))];
  }

  /** Lets node2 say that its data port is another one, until the returned function is called. */
  async function announcePort(port: number): Promise<() => Promise<void>> {
    const { directory } = await testbed.node(2);
    const file = path.join(directory, 'etc/mosrun.toml');
    const before = readFileSync(file, 'utf8');
    const { nodes, ...rest } = parse(before) as unknown as { nodes: Record<string, unknown>[] };
    const changed = nodes.map((node) => (node['name'] === 'node2' ? { ...node, data_port: port } : node));
    const restart = async (text: string) => {
      writeFileSync(file, text);
      await testbed.control('kill-daemon', '2');
      await testbed.control('start-daemon', '2');
      await seesAll();
    };
    await restart(stringify({ ...rest, nodes: changed }));
    return () => restart(before);
  }

  async function seesAll(): Promise<void> {
    await until(
      async () => {
        const { status, stdout } = await testbed.run(1, ['mosctl', 'nodes', '--json']);
        return status === 0 && (JSON.parse(stdout) as { nodes: Listing[] }).nodes.every(({ state }) => state === 'up');
      },
      20,
      'both nodes to be up again',
    );
  }

  const home = async (pid: number) => (await listed(testbed)).find((each) => each.pid === pid);

  /** Orders the move that must fail, and shows that the program neither moved nor suffered. */
  async function failsAndStays(pid: number, within: number): Promise<string> {
    const began = performance.now();
    const { status, stderr } = await testbed.run(1, ['migrate', String(pid), 'node2', '--wait'], { timeout: within + 30 });
    const seconds = (performance.now() - began) / 1000;
    assert.equal(status, 1, `migrate --wait must fail, it ended with ${status}: ${stderr}`);
    assert.match(stderr, /^mosrun: .+/, 'the reason is told');
    assert.ok(seconds < within, `the failure took ${seconds.toFixed(1)} s`);
    const process = await home(pid);
    assert.equal(process?.where, 'node1', 'it is at home');
    assert.equal(guestProcess(testbed, 2, pid), undefined, 'nothing of it is left on node2');
    return stderr.trim();
  }

  const faults: [string, { mode?: string; bytes?: number; within: number }][] = [
    ['refused connection', { within: 10 }],
    ['silent data port', { mode: 'silent', bytes: 0, within: 45 }],
    ...[100, 5_000, 150_000, 1_000_000].map((bytes): [string, { mode: string; bytes: number; within: number }] => [
      `connection reset after ${bytes} bytes`,
      { mode: 'cut', bytes, within: 45 },
    ]),
    ['connection closed after 150000 bytes', { mode: 'end', bytes: 150_000, within: 45 }],
    ['connection stalled after 150000 bytes', { mode: 'stall', bytes: 150_000, within: 45 }],
  ];

  for (const [name, { mode, bytes, within }] of faults) {
    void test(`${name}: the program stays, and moves next time`, { timeout: 180_000 }, async () => {
      const restore = await announcePort(faultyPort);
      if (mode) {
        const script = readFileSync(path.join(repository, 'test/system/faulty-port.mjs'), 'utf8');
        const words = [mode, String(bytes), String(faultyPort), '7071', '10.77.0.2'];
        const port = testbed.start(2, ['node', '--input-type=module', '-', ...words], { input: script });
        await port.says('listening');
      }
      const [running, pid] = await startPython();
      note(await failsAndStays(pid, within));
      await restore();
      const storm = new Storm(testbed, pid, { moves: 2 });
      await storm.end(30);
      assert.deepEqual([storm.trouble, storm.moves.length], [[], 2], 'the next move succeeds');
      assert.deepEqual(workplace.trace(await running.done), expected);
    });
  }

  void test('a node whose cable is pulled during the transfer', { timeout: 180_000 }, async () => {
    const [running, pid] = await startPython();
    await testbed.control('cut', '2');
    note(await failsAndStays(pid, 45));
    await testbed.control('heal', '2');
    await seesAll();
    const storm = new Storm(testbed, pid, { moves: 2 });
    await storm.end(40);
    assert.deepEqual([storm.trouble, storm.moves.length], [[], 2]);
    assert.deepEqual(workplace.trace(await running.done), expected);
  });

  void test('a node that is down: refused with the reason, at once', { timeout: 120_000 }, async () => {
    await testbed.control('crash', '2');
    const [running, pid] = await startPython();
    note(await failsAndStays(pid, 15));
    await testbed.control('boot', '2');
    await seesAll();
    const storm = new Storm(testbed, pid, { moves: 2 });
    await storm.end(30);
    assert.deepEqual(storm.trouble, []);
    assert.deepEqual(workplace.trace(await running.done), expected);
  });

  void test('a killed home process ends its guest within 100 ms', { timeout: 120_000 }, async () => {
    const waits: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const running = testbed.start(1, ['mosrun', 'python3', '-c', 'while True: sum(range(100000))']);
      const pid = await pidOf(testbed, 'sum(range');
      await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
      const guest = guestProcess(testbed, 2, pid);
      const atHome = homeProcess(testbed, 1, pid);
      assert.ok(guest && atHome, 'it is away');
      const began = performance.now();
      process.kill(atHome, 'SIGKILL');
      while (alive(guest) && performance.now() - began < 2000) await sleep(0.001);
      waits.push(Math.round(performance.now() - began));
      const { status, signal } = await running.done;
      assert.deepEqual([status, signal], [null, 'SIGKILL'], 'its parent sees the death as it was');
    }
    note(`guests ended after ${waits.join(', ')} ms`);
    assert.ok(
      waits.every((wait) => wait <= 100),
      `guests ended after ${waits.join(', ')} ms`,
    );
  });

  void test('kill -9 of both daemons during 20 s of forwarded input and output: not one error', {
    timeout: 180_000,
  }, async () => {
    const text = [
      'import os, sys, time, hashlib',
      'end = time.monotonic() + 20; turn = 0; bad = 0',
      'print("ready", flush=True)',
      'while time.monotonic() < end:',
      '    data = hashlib.sha256(str(turn).encode()).hexdigest() * 50',
      '    with open("block", "w") as f: f.write(data)',
      '    with open("block") as f: bad += f.read() != data',
      '    os.rename("block", "old"); turn += 1',
      'print("errors", bad, "enough", turn > 200)',
    ].join('\n');
    const running = testbed.start(1, ['mosrun', 'python3', '-c', text], { cwd: workplace.empty(), timeout: 90 });
    await running.says('ready');
    const pid = await pidOf(testbed, 'hashlib');
    await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
    await sleep(2);
    for (const node of ['1', '2']) assert.equal((await testbed.control('kill-daemon', node)).status, 0);
    await sleep(10);
    assert.ok(guestProcess(testbed, 2, pid), 'it goes on without the daemons');
    for (const node of ['1', '2']) assert.equal((await testbed.control('start-daemon', node)).status, 0);
    await seesAll();
    const found = await home(pid);
    assert.equal(found?.where, 'node2', 'the daemon finds its process again');
    await testbed.json(1, 'migrate', String(pid), 'home', '--wait', '--json');
    const outcome = await running.done;
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, 'ready\nerrors 0 enough True\n', '']);
  });

  void test('the hosting node dies: the program is lost with one message, and as if killed', { timeout: 120_000 }, async () => {
    const running = testbed.start(1, ['mosrun', 'python3', '-c', 'while True: sum(range(100000))'], { timeout: 100 });
    const pid = await pidOf(testbed, 'sum(range');
    await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
    const { mosd_pid } = await testbed.node(1);
    assert.ok(mosd_pid);
    const guest = guestProcess(testbed, 2, pid);
    assert.ok(guest);
    process.kill(guest, 'SIGKILL');
    const { status, signal } = await running.done;
    assert.ok(signal === 'SIGKILL' || status === 137, `it ended with ${status} ${signal}`);
  });
});
