/**
 * Processes on disk: frozen and thawed by order and by flood control, they are the same processes, and nothing is lost whatever dies meanwhile.
 * MOSRUN_TEST_FLOOD=1: two hundred of them come home at once, as many as it takes.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'smol-toml';
import { monitorDocument, nodesDocument } from '../../lib/shared/documents.js';
import { anonymousBytes, homeProcess } from './kernel.js';
import { whySkipped } from './programs.js';
import { type Listed, listed, pidOfJob } from './storm.js';
import { note, type Running, sleep, Testbed, tryRead, until, whyNoTestbed } from './testbed.js';

const skip = whyNoTestbed() ?? whySkipped({ needs: ['python3'] } as never) ?? false;

/** Keeps random bytes, and says whether they are still what they were: a part at each turn, all at the end. How many turns it took stands in a file. */
const keeper = (megabytes: number, threads = 1, pause = 0.01): string[] => [
  'python3',
  '-c',
  `
import hashlib, os, random, signal, threading, time
going = True
def end(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, end)
kept = [os.urandom(1 << 20) for each in range(${megabytes})]; sums = [hashlib.md5(one).digest() for one in kept]; wrong = []; turns = 0
print("ready", flush=True)
def work(n):
    global turns
    while going:
        part = random.randrange(len(kept))
        if hashlib.md5(kept[part]).digest() != sums[part]: wrong.append(n)
        turns += 1
        if n == 0: open("turns", "w").write(str(turns))
        time.sleep(${pause})
all = [threading.Thread(target=work, args=(n,)) for n in range(1, ${threads})]
for one in all: one.start()
work(0)
for one in all: one.join()
if [hashlib.md5(one).digest() for one in kept] != sums: wrong.append("end")
print("all is as it was" if not wrong else f"wrong: {wrong[:5]}")
`,
];
const GOOD = 'ready\nall is as it was\n';

interface Program {
  job: string;
  pid: number;
  running: Running;
  directory: string;
}

const turns = ({ directory }: Program): number => Number(tryRead(path.join(directory, 'turns')));

/** Changes the configuration of node 1. */
async function configure(testbed: Testbed, main: object, freezing: object): Promise<void> {
  writeFileSync(path.join(testbed.node(1).directory, 'etc/freeze.toml'), stringify(freezing));
  await testbed.configure(1, main);
  const { configuration } = await (await testbed.daemon(1)).status();
  assert.equal(configuration.error, null);
}

const freezers = (testbed: Testbed): number[] =>
  testbed.processes(1).filter((pid) => tryRead(`/proc/${pid}/comm`) === 'mosfreeze\n');

describe('frozen processes', { skip, timeout: 300_000 }, () => {
  let testbed: Testbed;
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-freezing-'));
  before(async () => {
    testbed = await Testbed.up(3);
  });
  after(async () => {
    await testbed?.down();
    spawnSync('umount', [path.join(directory, 'small')], { stdio: 'ignore' });
    rmSync(directory, { recursive: true, force: true });
  });

  async function start(job: string, command: string[]): Promise<Program> {
    const cwd = path.join(directory, job);
    mkdirSync(cwd);
    const running = testbed.start(1, ['mosrun', '-h', `-J${job}`, ...command], { cwd, timeout: 250 });
    await running.says('ready');
    return { job, pid: await pidOfJob(testbed, job), running, directory: cwd };
  }
  const find = async ({ pid }: Program): Promise<Listed | undefined> => (await listed(testbed)).find((one) => one.pid === pid);
  const order = ({ pid }: Program, to: string) => testbed.run(1, ['migrate', `${pid}`, to, '--wait']);
  async function goes(program: Program, to: string): Promise<void> {
    const { status, stderr } = await order(program, to);
    assert.equal(status, 0, `${program.job} to ${to}: ${stderr}`);
  }
  async function goesOn(program: Program): Promise<void> {
    const from = turns(program);
    await until(() => turns(program) > from + 1, 20, `${program.job} to go on`);
  }
  async function standsStill(program: Program): Promise<void> {
    assert.equal((await find(program))?.state, 'frozen');
    await sleep(0.1);
    const from = turns(program);
    await sleep(0.5);
    assert.equal(turns(program), from, `${program.job} does nothing while it is frozen`);
  }
  async function ends({ running, pid, job }: Program): Promise<void> {
    await testbed.kill(1, pid);
    const outcome = await running.within(20);
    assert.deepEqual([outcome?.status, outcome?.stdout, outcome?.stderr], [0, GOOD, ''], job);
    await until(() => freezers(testbed).length === 0, 5, 'nothing to be left of it');
  }

  void test('from home and from another node, and from disk home and to another node', async () => {
    for (const [job, threads] of [
      ['one', 1],
      ['eight', 8],
    ] as const) {
      const program = await start(job, keeper(32, threads));
      const home = homeProcess(testbed, 1, program.pid);
      assert.ok(home);
      const full = anonymousBytes(home);
      for (const [from, to] of [
        ['home', 'continue'],
        ['node2', 'home'],
        ['node2', 'node3'],
        ['node3', 'node2'],
      ] as const) {
        await goes(program, from);
        await goes(program, 'freeze');
        await standsStill(program);
        assert.ok(anonymousBytes(home) < full / 4, `its memory is gone: ${anonymousBytes(home)} of ${full} bytes`);
        assert.equal(freezers(testbed).length, 1);
        await goes(program, to);
        await goesOn(program);
      }
      await ends(program);
    }
  });

  void test('who keeps a frozen process has no rights, and nothing but its memory, which only root can reach', async () => {
    const program = await start('rights', keeper(4));
    await goes(program, 'freeze');
    const [pid] = freezers(testbed);
    assert.ok(pid);
    const fact = (name: string): string =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(tryRead(`/proc/${pid}/status`))?.[1] ?? '';
    for (const id of [fact('Uid'), fact('Gid')])
      assert.ok(
        id.split('\t').every((one) => Number(one) >= 0x7c000000),
        id,
      );
    assert.deepEqual([fact('Groups').trim(), fact('NoNewPrivs'), fact('Seccomp')], ['', '1', '2']);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) assert.match(fact(set), /^0+$/);
    // What it has open, but for channels: its memory, which has no name any more.
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    const files = open.filter((one) => !/^(socket|anon_inode):/.test(one));
    assert.equal(files.length, 1, files.join(' '));
    assert.match(files[0] ?? '', /\/frozen\/.* \(deleted\)$/);
    const { directory: node } = testbed.node(1);
    const images = path.join(node, 'lib/frozen');
    assert.deepEqual([statSync(images).mode & 0o777, readdirSync(images)], [0o700, []]);
    await goes(program, 'continue');
    await ends(program);
  });

  void test('orders that make no sense are told of, and other nodes hear how many are frozen', async () => {
    const program = await start('orders', keeper(1));
    const again = await order(program, 'continue');
    assert.deepEqual([again.status, /is not frozen/.test(again.stderr)], [2, true], again.stderr);
    const frozen = async (node: number) => {
      const { nodes, totals } = monitorDocument.parse(await testbed.json(node, 'mosmon', '--once', '--json'));
      return [...nodes.map((one) => one.frozen), totals.frozen].join(' ');
    };
    await until(async () => (await frozen(2)) === '0 0 0 0', 10, 'node2 to know that nothing is frozen');
    await goes(program, 'freeze');
    for (const node of [1, 2, 3])
      await until(async () => (await frozen(node)) === '1 0 0 1', 10, `node${node} to know of one that is frozen on node1`);
    // All nodes have the machine's clock.
    const { nodes } = nodesDocument.parse(await testbed.json(2, 'mosctl', 'nodes', '--json'));
    for (const { name, clock_offset_seconds: offset } of nodes) assert.ok(Math.abs(offset ?? 9) < 0.5, `${name}: ${offset}`);
    assert.match((await order(program, 'freeze')).stdout, /is \(frozen\) already|already/);
    assert.match((await testbed.run(1, ['mosps', '--explain', `${program.pid}`])).stdout, /frozen/);
    await goes(program, 'continue');
    await ends(program);
  });

  void test('what is sent to it waits, but for what ends it', async () => {
    const waits = await start('waits', keeper(4));
    await goes(waits, 'freeze');
    await testbed.kill(1, waits.pid);
    await sleep(0.5);
    assert.equal(waits.running.ended, false);
    // It may come to its end before the mover looks at what it has moved.
    const { status, stderr } = await order(waits, 'continue');
    assert.ok(status === 0 || /has ended/.test(stderr), stderr);
    const outcome = await waits.running.within(20);
    assert.deepEqual([outcome?.status, outcome?.stdout], [0, GOOD], 'the handler runs when it goes on');

    const ended = await start('ended', keeper(4));
    await goes(ended, 'freeze');
    await testbed.kill(1, ended.pid, 'KILL');
    assert.equal((await ended.running.within(10))?.signal, 'SIGKILL');
    await until(() => freezers(testbed).length === 0, 5, 'its memory on disk to go with it');
  });

  void test('killed and restarted daemons find it again', async () => {
    const program = await start('daemons', keeper(16));
    await goes(program, 'freeze');
    const before = await find(program);
    const gates = testbed.processes(1).filter((pid) => tryRead(`/proc/${pid}/comm`) === 'mosgate\n');
    await testbed.control('kill-daemon', '1');
    for (const pid of gates) process.kill(pid, 'SIGKILL');
    await testbed.control('start-daemon', '1');
    await testbed.comes(1);
    assert.deepEqual(await find(program), before);
    await standsStill(program);
    await until(async () => (await order(program, 'node2')).status === 0, 10, 'the daemons to know each other');
    await goesOn(program);
    await goes(program, 'home');
    await ends(program);
  });

  void test('a full disk leaves it where it is, at home and away', async () => {
    const small = path.join(directory, 'small');
    mkdirSync(small);
    const made = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'mosrun-test', small], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    // Node 1 sees the machine's files as they were when it was made, so what is mounted later is reached by its process 1's root.
    const { pid: init } = testbed.node(1);
    const inside = spawnSync('nsenter', [
      '-t',
      `${init}`,
      '-m',
      '--',
      'sh',
      '-c',
      `mount -t tmpfs -o size=8m mosrun-test ${small}`,
    ]);
    assert.equal(inside.status, 0);
    await configure(testbed, {}, { directory: small });
    const program = await start('full', keeper(32));
    for (const place of ['home', 'node2']) {
      await goes(program, place);
      const { status, stderr } = await order(program, 'freeze');
      assert.deepEqual([status, /disk for frozen processes is full; .* goes on/.test(stderr)], [1, true], stderr);
      await goesOn(program);
      assert.equal((await find(program))?.state, place === 'home' ? 'running' : 'away');
    }
    await configure(testbed, {}, {});
    await goes(program, 'freeze');
    await goes(program, 'home');
    await ends(program);
  });

  void test('above the red mark processes are frozen, in turns, and each gets on', async () => {
    await configure(testbed, {}, { class: { default: { red: 2, blue: 2, slice_minutes: 0.02 } } });
    const all: Program[] = [];
    for (const job of ['a', 'b', 'c', 'd', 'e']) all.push(await start(job, keeper(4)));
    const most = { running: 0, frozen: 0 };
    const first = all.map(turns);
    const look = async (): Promise<boolean> => {
      const states = (await listed(testbed)).map(({ state }) => state);
      most.running = Math.max(most.running, states.filter((state) => state === 'running').length);
      most.frozen = Math.max(most.frozen, states.filter((state) => state === 'frozen').length);
      // One that is just being frozen or thawed is neither: looked at often enough, three are seen to be frozen.
      return most.frozen >= 3 && all.every((one, index) => turns(one) > (first[index] ?? 0) + 20);
    };
    await until(look, 60, 'three to be frozen at a time, and each to get on');
    note(`of 5 there ran ${most.running} at most, and ${most.frozen} were frozen`);
    assert.ok(most.frozen >= 3);
    const explained = await testbed.run(1, ['mosps', '--history', `${all[0]?.pid}`]);
    assert.match(explained.stdout, /of class default run here, and 2 are to|have waited for their turn/);
    await configure(testbed, {}, {});
    await until(async () => (await listed(testbed)).every(({ state }) => state === 'running'), 20, 'all to run again');
    for (const one of all) await ends(one);
  });
});

describe('a call that is not served away, and a home without memory', { skip, timeout: 120_000 }, () => {
  let testbed: Testbed;
  before(async () => {
    testbed = await Testbed.up(2, '--memory', '600M,1G');
    await configure(testbed, { hosting: { reserve_memory: '450M' } }, { class: { default: { minimum: 0, memory: false } } });
  });
  after(() => testbed?.down());

  void test('it waits where it is, is frozen when that lasts, and goes on when there is room', async () => {
    const program = `
import ctypes, hashlib, os, sys, time
call = ctypes.CDLL(None, use_errno=True).syscall
kept = os.urandom(240 << 20); sum = hashlib.md5(kept).digest()
print("ready", flush=True)
sys.stdin.readline()
print("asked", call(425, 0, None), ctypes.get_errno(), flush=True)
print("all is as it was" if hashlib.md5(kept).digest() == sum else "wrong", flush=True)
`;
    const running = testbed.start(1, ['mosrun', '-r', 'node2', '-J', 'waits', 'python3', '-c', program], {
      talks: true,
      timeout: 100,
    });
    await running.says('ready', 60);
    const pid = await pidOfJob(testbed, 'waits');
    const find = async () => (await listed(testbed)).find((one) => one.pid === pid);
    // Until its node has told how much it has, and it what home has.
    await sleep(3);
    running.child.stdin?.write('go\n');
    const waits = await until(
      async () => {
        const found = await find();
        return found?.state === 'away' && found.why?.startsWith('waits for memory') ? found : null;
      },
      10,
      'it to wait',
    );
    assert.equal(waits.why, 'waits for memory at home, to come there for io_uring_setup');
    assert.equal(running.stdout, 'ready\n');
    await until(async () => (await find())?.state === 'frozen', 30, 'it to be frozen');
    const { stdout } = await testbed.run(1, ['mosps', '--history', `${pid}`]);
    assert.match(stdout, /it has to come home for io_uring_setup, and there is no memory for it/);
    // An order does not make room either; what a person would do is to keep less free. Then it goes on by itself.
    const order = await testbed.run(1, ['migrate', `${pid}`, 'continue']);
    assert.match(order.stderr, /stays frozen: it has \d+ MB, and node1 \d+ MB to spare/);
    await configure(testbed, { hosting: { reserve_memory: '0' } }, { class: { default: { minimum: 0, memory: false } } });
    const outcome = await running.within(30);
    assert.match(outcome?.stdout ?? '', /^ready\nasked -1 (14|22|38)\nall is as it was\n$/);
    assert.equal(outcome?.status, 0);
  });
});

describe('many come home where few have room', { skip, timeout: 900_000 }, () => {
  const whole = process.env['MOSRUN_TEST_FLOOD'] !== undefined;
  // Interpreters of 64 MB would be more of the test's than of the processes' memory.
  const [count, megabytes, room] = whole ? [200, 64, 10] : [16, 24, 4];
  let testbed: Testbed;
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-flood-'));
  const programs: { running: Running; directory: string }[] = [];
  before(async () => {
    const memory = room * (megabytes + 8) + 200;
    testbed = await Testbed.up(3, '--memory', `${memory}M,${whole ? '8G,8G' : '1G,1G'}`);
    await configure(
      testbed,
      { hosting: { reserve_memory: '64M' } },
      { directory: path.join(directory, 'images'), class: { default: { minimum: 0, slice_minutes: 0.05 } } },
    );
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  /** As the kernel counts: version 1 and 2 of control groups have the same field in different files. */
  function killedForMemory(): number {
    const files = ['memory.oom_control', 'memory.events'].flatMap((name) =>
      ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].map((tree) => `${tree}/mosrun-testbed-${testbed.name}/node1/${name}`),
    );
    const counts = files.map((file) => /^oom_kill (\d+)/m.exec(tryRead(file))?.[1]).filter((one) => one !== undefined);
    assert.ok(counts.length > 0, files.join(' '));
    return counts.reduce((sum, one) => sum + Number(one), 0);
  }

  void test('no memory is exhausted, none is lost, and each gets on in turn', async () => {
    for (let each = 0; each < count; each++) {
      const cwd = path.join(directory, `${each}`);
      mkdirSync(cwd);
      const command = ['mosrun', '-r', `node${2 + (each % 2)}`, '-J', `flood${each}`, ...keeper(megabytes, 1, whole ? 1 : 0.05)];
      const running = testbed.start(1, command, { cwd, timeout: 880 });
      programs.push({ running, directory: cwd });
      if (each % 4 === 3) await Promise.all(programs.slice(-4).map((one) => one.running.says('ready', 60)));
    }
    await until(async () => (await listed(testbed)).every(({ state }) => state === 'away'), 60, 'all to be away');
    const began = performance.now();
    const bring = testbed.start(1, ['mosctl', 'bring'], { timeout: 400 });
    // In the middle of it the daemon is killed, and goes on where it was.
    await sleep(whole ? 5 : 1);
    const order = (program: { directory: string }) => Number(tryRead(path.join(program.directory, 'turns')));
    await testbed.control('kill-daemon', '1');
    await testbed.control('start-daemon', '1');
    await bring.done;
    await testbed.comes(1);
    const again = await testbed.run(1, ['mosctl', 'bring'], { timeout: 400 });
    assert.equal(again.status, 0, again.stderr);
    note(
      `${count} processes of ${megabytes} MB are home, or on its disk, after ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    const states = (await listed(testbed)).map(({ state }) => state);
    assert.equal(states.length, count);
    assert.equal(killedForMemory(), 0, 'no memory was exhausted');
    assert.ok(states.filter((state) => state === 'frozen').length >= count - room - 4, states.join(' '));
    const from = programs.map(order);
    let ran = 0;
    await until(
      async () => {
        for (const { running } of programs) assert.equal(running.ended, false, running.stderr);
        ran = programs.filter((one, index) => order(one) > (from[index] ?? 0)).length;
        return ran === count;
      },
      whole ? 600 : 90,
      'each to get on',
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${ran} of ${count} have\n${testbed.log(1)}`);
    });
    note(`each has got on after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    assert.equal(killedForMemory(), 0, 'no memory was exhausted');
    // Whoever ends makes room for the others.
    for (const one of await listed(testbed)) await testbed.kill(1, one.pid);
    for (const { running } of programs) {
      const outcome = await running.within(whole ? 300 : 60);
      assert.deepEqual([outcome?.status, outcome?.stdout, outcome?.stderr], [0, GOOD, '']);
    }
    assert.equal(existsSync(path.join(directory, 'images')), true);
  });
});
