/** Whatever fails before the commit leaves the program at home, unharmed; whatever dies afterwards leaves nothing behind. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { parse, stringify } from 'smol-toml';
import { alive, guestProcess, homeProcess } from './kernel.js';
import { compiled, diskSleep, endlessThreads, firstThread, restingPython as python, whySkipped } from './programs.js';
import { listed, pidOf, pidOfJob, Storm, Workplace } from './storm.js';
import { repository, type Running, sleep, Testbed, until, whyNoTestbed, note } from './testbed.js';

const noTestbed = whyNoTestbed() ?? whySkipped(python);
/** It leaves something of the machine to others while nobody answers. */
const faultyPort = 7171;
/** What nobody answers is given up sooner than by itself. */
const boundedMoves = { migration: { timeout_seconds: 12 } };
/** The failure is told within that time: the bound, and what a busy machine adds. */
const SOON_SECONDS = 20;
const rival = compiled('rival');

describe('migrations that fail', { skip: noTestbed ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();
  let configuration: string;
  let original: string;

  before(async () => {
    testbed = await Testbed.up(2);
    const { directory } = testbed.node(2);
    configuration = path.join(directory, 'etc/mosrun.toml');
    original = readFileSync(configuration, 'utf8');
    await testbed.configure(1, boundedMoves);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });
  afterEach(async () => {
    await testbed.killStrays(1);
    await testbed.killStrays(2);
  });

  /** A program that goes on until it is told to end, and then says whether all it computed was right. */
  async function startPython(): Promise<[Running, number]> {
    const running = testbed.start(1, ['mosrun', ...python.command], { cwd: workplace.empty() });
    await running.says('ready');
    return [running, await pidOf(testbed, python.command.slice(1).join(' '))];
  }

  async function endsWell(running: Running, pid: number): Promise<void> {
    await testbed.kill(1, pid);
    const outcome = await running.within(20);
    assert.deepEqual([outcome?.status, outcome?.stdout, outcome?.stderr], [0, 'ready\nall blocks are equal\n', '']);
  }

  /** Lets node2 say that its data port is another one; the right one is said again by the same with 7071. */
  async function announcePort(port: number): Promise<void> {
    const { nodes, ...rest } = parse(original) as unknown as { nodes: Record<string, unknown>[] };
    const changed = nodes.map((node) => (node['name'] === 'node2' ? { ...node, data_port: port } : node));
    writeFileSync(configuration, stringify({ ...rest, nodes: changed }));
    await testbed.control('kill-daemon', '2');
    await testbed.control('start-daemon', '2');
    await seesAll();
  }

  async function seesAll(): Promise<void> {
    for (const node of [1, 2]) await testbed.comes(node, 20);
    await until(() => testbed.seesAll(1), 20, 'both nodes to be up again');
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
    // It ends when it hears that the mover has given up.
    await until(() => guestProcess(testbed, 2, pid) === undefined, 3, 'nothing of it to be left on node2');
    return stderr.trim();
  }

  async function openFaultyPort(mode: string, bytes = 0): Promise<void> {
    const script = readFileSync(path.join(repository, 'test/system/faulty-port.mjs'), 'utf8');
    const words = [mode, String(bytes), String(faultyPort), '7071', '10.77.0.2'];
    const port = testbed.start(2, ['node', '--input-type=module', '-', ...words], { input: script });
    await port.says('listening');
  }

  const faults: [string, { mode?: string; bytes?: number; within: number }][] = [
    ['refused connection', { within: 10 }],
    ['silent data port', { mode: 'silent', bytes: 0, within: SOON_SECONDS }],
    ...[100, 5_000, 150_000, 1_000_000].map((bytes): [string, { mode: string; bytes: number; within: number }] => [
      `connection reset after ${bytes} bytes`,
      { mode: 'cut', bytes, within: SOON_SECONDS },
    ]),
    ['connection closed after 150000 bytes', { mode: 'end', bytes: 150_000, within: SOON_SECONDS }],
    ['connection stalled after 150000 bytes', { mode: 'stall', bytes: 150_000, within: SOON_SECONDS }],
  ];

  for (const [name, { mode, bytes, within }] of faults) {
    void test(`${name}: the program stays, and moves next time`, { timeout: 180_000 }, async () => {
      const [running, pid] = await startPython();
      await announcePort(faultyPort);
      try {
        if (mode) await openFaultyPort(mode, bytes);
        note(await failsAndStays(pid, within));
      } finally {
        await announcePort(7071);
      }
      const storm = new Storm(testbed, pid, { moves: 2 });
      await storm.end(30);
      assert.deepEqual([storm.trouble, storm.moves.length], [[], 2], 'the next move succeeds');
      await endsWell(running, pid);
    });
  }

  void test('a process whose first thread has ended stays too', { timeout: 120_000 }, async () => {
    firstThread.make?.();
    const command = [...firstThread.command.slice(0, 1), '300'];
    const running = testbed.start(1, ['mosrun', ...command], { cwd: workplace.empty() });
    const pid = await pidOf(testbed, 'first-thread');
    await announcePort(faultyPort);
    try {
      await openFaultyPort('cut', 150_000);
      note(await failsAndStays(pid, SOON_SECONDS));
    } finally {
      await announcePort(7071);
    }
    const storm = new Storm(testbed, pid, { moves: 4, tree: false });
    await storm.end(30);
    assert.deepEqual([storm.trouble, storm.moves.length], [[], 4], 'the next moves succeed');
    const outcome = await running.within(60);
    assert.deepEqual([outcome?.status, outcome?.stdout.split('\n').at(-2)], [57, 'first thread Z, 600 signals']);
  });

  void test('a thread that sleeps in state D is waited for, and the others work meanwhile', {
    skip: whySkipped(diskSleep) ?? false,
    timeout: 120_000,
  }, async () => {
    diskSleep.make?.();
    const sleeper = async (seconds: string) => {
      const running = testbed.start(1, ['mosrun', '-J', seconds, ...diskSleep.command, seconds], { cwd: workplace.empty() });
      await running.says('ready');
      return [running, await pidOfJob(testbed, seconds)] as const;
    };
    const [short, long] = [await sleeper('6'), await sleeper('15')];
    const refusal = failsAndStays(long[1], SOON_SECONDS);
    // A mover waits for a third of its time; then the next tries.
    const { status, stderr, seconds } = await testbed.run(1, ['migrate', String(short[1]), 'node2', '--wait'], { timeout: 40 });
    assert.equal(status, 0, stderr);
    assert.ok(seconds > 4, 'it waited');
    const why = await refusal;
    note(why);
    assert.match(why, /state D.*try again/);
    const again = await testbed.run(1, ['migrate', String(long[1]), 'node2', '--wait'], { timeout: 40 });
    assert.equal(again.status, 0, again.stderr);
    for (const [running] of [short, long]) {
      const outcome = await running.within(30);
      note(`longest gap ${outcome?.stderr.trim()} s`);
      assert.deepEqual(
        [outcome?.status, outcome?.stdout],
        [0, 'ready\nread 5: late\nchild 0, longest gap short, 0 waits ended early\n'],
      );
    }
  });

  void test('a node whose cable is pulled', { timeout: 180_000 }, async () => {
    const [running, pid] = await startPython();
    await testbed.control('cut', '2');
    note(await failsAndStays(pid, SOON_SECONDS));
    await testbed.control('heal', '2');
    await seesAll();
    const storm = new Storm(testbed, pid, { moves: 2 });
    await storm.end(40);
    assert.deepEqual([storm.trouble, storm.moves.length], [[], 2]);
    await endsWell(running, pid);
  });

  // The mover alone, sent to where nobody is: these never get as far as a daemon's answer.
  const nowhere: [string, string, number, string[]][] = [
    ['an address without a route', '10.99.0.1', 7071, ['unreachable', 'timeout']],
    ['an address that nobody answers for', '10.77.0.200', 7071, ['unreachable', 'timeout']],
    ['a port that nobody listens on', '10.77.0.2', 9, ['unreachable', 'refused']],
    ['a session that the other node does not know', '10.77.0.2', 7071, ['refused', 'unreachable', 'cut']],
  ];
  for (const [what, address, port, codes] of nowhere) {
    void test(`a mover sent to ${what} leaves the program alone`, { timeout: 90_000 }, async () => {
      const [running, pid] = await startPython();
      const mover = path.join(repository, 'dist/libexec/mosmove');
      const words = [
        'out',
        '--pid',
        `${pid}`,
        '--node',
        'node2',
        '--session',
        '00000000deadbeef',
        '--address',
        address,
        '--port',
        `${port}`,
        '--timeout',
        '5',
      ];
      const { status, stdout, stderr, seconds } = await testbed.run(1, [mover, ...words], {
        input: `${'5a'.repeat(32)}\n`,
        timeout: 40,
      });
      assert.equal(status, 1, stdout + stderr);
      const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { event: string; code: string; message: string };
      note(`${last.code}: ${last.message} (${seconds.toFixed(1)} s)`);
      assert.equal(last.event, 'failed');
      assert.ok(codes.includes(last.code), `${last.code}: ${last.message}`);
      assert.ok(seconds < 15, `it took ${seconds.toFixed(1)} s`);
      assert.equal((await home(pid))?.where, 'node1');
      await endsWell(running, pid);
    });
  }

  void test('a cable pulled in the middle of the transfer: the program goes on at home', { timeout: 180_000 }, async () => {
    const slow = await Testbed.up(2, '--rate', '100mbit');
    try {
      for (const node of [1, 2]) await slow.configure(node, boundedMoves);
      const text = [
        'import os, time, zlib',
        'data = os.urandom(100 << 20); sum = zlib.crc32(data)',
        'print("ready", flush=True)',
        'while not os.path.exists("stop"): time.sleep(0.01)',
        'print("same", zlib.crc32(data) == sum)',
      ].join('\n');
      const directory = workplace.empty();
      const running = slow.start(1, ['mosrun', 'python3', '-c', text], { cwd: directory, timeout: 150 });
      await running.says('ready');
      const pid = await pidOf(slow, 'urandom');
      const order = slow.run(1, ['migrate', String(pid), 'node2', '--wait'], { timeout: 100 });
      await sleep(3);
      await slow.control('cut', '2');
      const { status, stderr, seconds } = await order;
      note(`${stderr.trim()} (${seconds.toFixed(1)} s)`);
      assert.equal(status, 1, stderr);
      assert.ok(seconds < SOON_SECONDS + 3, `the failure took ${seconds.toFixed(1)} s`);
      await slow.control('heal', '2');
      writeFileSync(path.join(directory, 'stop'), '');
      const outcome = await running.done;
      assert.deepEqual([outcome.status, outcome.stdout], [0, 'ready\nsame True\n'], outcome.stderr);
      await until(() => guestProcess(slow, 2, pid) === undefined, 40, 'what came of it on node2 to be gone');
    } finally {
      await slow.down();
    }
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
    await endsWell(running, pid);
  });

  void test('another mover that comes and goes at one of eight threads is waited for', {
    timeout: 120_000,
    skip: whySkipped(endlessThreads) ?? whySkipped(rival) ?? false,
  }, async () => {
    endlessThreads.make?.();
    rival.make?.();
    const running = testbed.start(1, ['mosrun', ...endlessThreads.command], { cwd: workplace.empty() });
    await running.says('ready');
    const pid = await pidOf(testbed, endlessThreads.command.join(' '));
    // The one that is stopped last: the others stand still by then.
    const threads = async () => (await testbed.run(1, ['ls', `/proc/${pid}/task`])).stdout.trim().split('\n').map(Number);
    const first = await threads();
    await sleep(0.3);
    const last = Math.max(...(await threads()).filter((tid) => first.includes(tid)));
    // Without a processor what is asked to stand still does so late.
    const busy = Array.from({ length: 6 }, () => testbed.start(1, ['sh', '-c', 'while :; do :; done']));
    const other = testbed.start(1, [...rival.command, String(last), '400']);
    let moves = 0;
    for (; !other.ended; moves++) {
      for (const to of ['node2', 'home']) {
        const { status, stderr } = await testbed.run(1, ['migrate', String(pid), to, '--wait']);
        assert.equal(status, 0, `to ${to}: ${stderr}`);
      }
    }
    const { stdout: times } = await other.done;
    note(`${moves} moves while it was traced ${times.trim()}`);
    assert.match(times, /^[1-9]/);
    for (const one of busy) one.kill('SIGKILL');
    assert.ok(moves > 1);
    await testbed.kill(1, pid);
    assert.equal((await running.within(20))?.status, 0);
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
    // Where more want to run than there are processors it waits for one.
    const most = 100 * Math.max(1, (loadavg()[0] ?? 0) / cpus().length);
    assert.ok(Math.max(...waits) <= most, `guests ended after ${waits.join(', ')} ms, of ${most.toFixed(0)}`);
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

  void test('the guest dies: the program is lost with one message, and as if killed', { timeout: 120_000 }, async () => {
    const running = testbed.start(1, ['mosrun', 'python3', '-c', 'while True: sum(range(100000))'], { timeout: 100 });
    const pid = await pidOf(testbed, 'sum(range');
    await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
    const { mosd_pid } = testbed.node(1);
    assert.ok(mosd_pid);
    const guest = guestProcess(testbed, 2, pid);
    assert.ok(guest);
    process.kill(guest, 'SIGKILL');
    const { status, signal, stderr } = await running.done;
    assert.ok(signal === 'SIGKILL' || status === 137, `it ended with ${status} ${signal}`);
    assert.equal(
      stderr,
      `mosrun: process ${pid} is lost: it was ended on the other node by signal 9, for want of memory or by hand\n`,
    );
  });

  void test('the guest of a program with many threads dies: there is the one message too', { timeout: 120_000 }, async () => {
    const text = 'import threading\nfor _ in range(20): threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()';
    for (let turn = 0; turn < 5; turn++) {
      const running = testbed.start(1, ['mosrun', 'python3', '-c', text], { timeout: 100 });
      const pid = await pidOf(testbed, 'threading');
      await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
      process.kill(guestProcess(testbed, 2, pid) ?? 0, 'SIGKILL');
      const { stderr } = await running.done;
      assert.match(stderr, /^mosrun: process \d+ is lost: it was ended on the other node by signal 9, [^\n]*\n$/);
    }
  });
});
