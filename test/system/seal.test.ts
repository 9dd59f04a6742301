/** Encrypted sessions: what passes between nodes is nobody's to read or change, and programs are none the wiser. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, test } from 'node:test';
import { guestProcess, homeProcess } from './kernel.js';
import { type Program, programs, whySkipped } from './programs.js';
import { type Listed, listed, pidOfJob, Storm, Workplace } from './storm.js';
import { note, repository, type Running, Testbed, tryRead, until, whyNoTestbed } from './testbed.js';

const source = path.join(repository, 'test/programs/secrets.py');
const bash = programs.find(({ needs }) => needs.includes('bash')) as Program;
const faultyPort = 7171;
const MOVED_MIB = 80; // more than goes under one key

interface Heard {
  bytes: number;
  found: number;
}

interface Spoken {
  connections: number;
  bytes: number;
}

/** A program that says "listening", and at the end of its input what it has heard. */
class Listener<Result> {
  private readonly lines: AsyncIterator<string>;

  private constructor(private readonly child: ChildProcess) {
    assert.ok(child.stdout);
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Reads along on the cable of a node, as anyone on the way could. */
  static async on(testbed: Testbed, node: number, ...texts: string[]): Promise<Listener<Heard>> {
    const { pid } = testbed.node(node);
    const program = ['python3', path.join(repository, 'test/system/wiretap.py'), 'eth0', ...texts];
    return Listener.started<Heard>(['nsenter', `--net=/proc/${pid}/ns/net`, ...program]);
  }

  static async started<Result>([command = '', ...words]: string[]): Promise<Listener<Result>> {
    const listener = new Listener<Result>(spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] }));
    assert.equal((await listener.lines.next()).value, 'listening');
    return listener;
  }

  async end(): Promise<Result> {
    this.child.stdin?.end();
    return JSON.parse((await this.lines.next()).value as string) as Result;
  }
}

type Fact = Listed & { encrypted: boolean };

describe('encrypted sessions', { skip: whyNoTestbed() ?? whySkipped({ needs: ['python3'] } as never) ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();
  const original = new Map<number, string>();
  const present = new Map<number, string>();
  let jobs = 0;

  before(async () => {
    testbed = await Testbed.up(3);
    for (const node of [1, 2, 3]) original.set(node, readFileSync(await configurationOf(node), 'utf8'));
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });
  afterEach(async () => {
    for (const node of [1, 2, 3]) await testbed.killStrays(node);
  });

  const configurationOf = async (node: number) => path.join(testbed.node(node).directory, 'etc/mosrun.toml');

  /** These nodes demand encryption, and the others do not. */
  async function encrypting(...nodes: number[]): Promise<void> {
    for (const node of [1, 2, 3]) {
      const text = `${original.get(node)}\n[security]\nencrypt = ${nodes.includes(node)}\n[migration]\ncompress = false\nkeep = false\n`; // all of it is to be found on the wire
      if (present.get(node) === text) continue;
      present.set(node, text);
      writeFileSync(await configurationOf(node), text);
      const times = () => testbed.log(node, 1e6).split('configuration read again').length;
      const before = times();
      process.kill(testbed.node(node).mosd_pid ?? 0, 'SIGHUP');
      await until(() => times() > before, 5, `node${node} to read its configuration`);
    }
  }

  interface Traveller {
    pid: number;
    running: Running;
    file: string;
    secret: string;
  }

  async function start(mib = 4, bytes = 4096, before: string[] = []): Promise<Traveller> {
    const job = `seal${++jobs}`;
    const file = path.join(workplace.empty(), 'written');
    const program = [...before, 'python3', source, file, job, `${mib}`, `${bytes}`];
    const running = testbed.start(1, ['mosrun', `-J${job}`, ...program], { timeout: 100 });
    await running.says('ready');
    const secret = `wire-${createHash('sha256').update(job).digest('hex')}`;
    return { pid: await pidOfJob(testbed, job), running, file, secret };
  }

  async function goes({ pid }: Traveller, to: string): Promise<void> {
    const { status, stderr } = await testbed.run(1, ['migrate', `${pid}`, to, '--wait']);
    assert.equal(status, 0, `${stderr}\n${testbed.log(1)}`);
  }

  async function goesOn({ file, running }: Traveller): Promise<void> {
    const written = () => statSync(file).mtimeMs;
    for (let turn = 0; turn < 3; turn++) {
      const before = written();
      await until(() => written() > before || running.ended, 10, 'the program to go on');
    }
    assert.equal(running.ended, false, running.stderr);
  }

  async function makesFamily(one: Traveller): Promise<void> {
    const before = one.running.stdout;
    await testbed.run(1, ['sh', '-c', `kill -USR1 ${one.pid}`]);
    await until(() => one.running.stdout === `${before}family\n` || one.running.ended, 15, 'threads and children');
  }

  async function endsWell({ pid, running }: Traveller, families = 0): Promise<void> {
    await testbed.kill(1, pid);
    const outcome = await running.within(20);
    const expected = [0, `ready\n${'family\n'.repeat(families)}all is right\n`, ''];
    assert.deepEqual([outcome?.status, outcome?.stdout, outcome?.stderr], expected);
  }

  const fact = async ({ pid }: Traveller) => (await listed(testbed)).find((one) => one.pid === pid) as Fact;
  async function isOn(one: Traveller, node: string, encrypted: boolean): Promise<void> {
    const { where, encrypted: is } = await fact(one);
    assert.deepEqual([where, is], [node, encrypted]);
    if (node === 'node1') return;
    const { guests } = await testbed.json<{ guests: { home_pid: number; encrypted: boolean; state: string }[] }>(
      Number(node.slice(4)),
      'mosps',
      '--guests',
      '--json',
    );
    const guest = guests.find(({ home_pid: pid, state }) => pid === one.pid && state === 'running');
    assert.equal(guest?.encrypted, encrypted, 'the hosting node says the same');
  }

  /** Out, away, on and home, and what was heard of it on the cables. */
  async function journey(encrypted: boolean): Promise<Record<string, Heard>> {
    const one = await start(MOVED_MIB);
    const heard: Record<string, Heard> = {};
    const listen = async (what: string, node: number, during: () => Promise<void>) => {
      const tap = await Listener.on(testbed, node, one.secret);
      await during();
      heard[what] = await tap.end();
    };
    await listen('out', 1, () => goes(one, 'node2'));
    await isOn(one, 'node2', encrypted);
    await listen('written', 1, () => goesOn(one));
    await listen('on', 2, () => goes(one, 'node3'));
    await isOn(one, 'node3', encrypted);
    await listen('home', 1, () => goes(one, 'home'));
    await isOn(one, 'node1', false);
    await endsWell(one);
    for (const [what, { bytes, found }] of Object.entries(heard)) note(`${what}: ${bytes} bytes, the secret in ${found} packets`);
    assert.ok(
      ['out', 'on', 'home'].every((what) => (heard[what]?.bytes ?? 0) > MOVED_MIB * 1e6),
      'all of it was heard',
    );
    return heard;
  }

  /** Takes its data port for the one at the faulty port; gives the way back. */
  async function announce(node: number, port: number): Promise<void> {
    const text = present.get(node) ?? original.get(node) ?? '';
    const own = new RegExp(`(name = "node${node}"\nnumber = ${node}\naddress = "[^"]*"\n)(data_port = \\d+\n)?`);
    const changed = text.replace(own, port === 7071 ? '$1' : `$1data_port = ${port}\n`);
    present.set(node, changed);
    writeFileSync(await configurationOf(node), changed);
    await restart(node, ['mosd']);
  }

  async function helper(node: number, name: string): Promise<number[]> {
    return (await testbed.helpers(node)).filter((pid) => tryRead(`/proc/${pid}/comm`).trim() === name);
  }
  async function restart(node: number, parts: string[]): Promise<void> {
    const gates = parts.includes('mosgate') ? await helper(node, 'mosgate') : [];
    await testbed.control('kill-daemon', `${node}`);
    for (const pid of gates) process.kill(pid, 'SIGKILL');
    await testbed.control('start-daemon', `${node}`);
    await testbed.comes(node, 20);
    await until(() => testbed.seesAll(1), 10, 'all nodes to be up');
  }

  void test('without encryption the memory and the data of a program are there to be read', { timeout: 60_000 }, async () => {
    await encrypting();
    const heard = await journey(false);
    for (const [what, { found }] of Object.entries(heard))
      assert.ok(found > 0, `${what}: nothing was heard, so silence would prove nothing`);
    for (const node of [1, 2, 3]) assert.deepEqual(await helper(node, 'mosseal'), [], 'nothing is in the path');
  });

  for (const [who, node] of [
    ['the home-node', 1],
    ['the hosting node', 2],
  ] as const) {
    void test(`encrypted because ${who} wants it: nothing is heard out, away, on and home`, { timeout: 60_000 }, async () => {
      await encrypting(node);
      const heard = await journey(true);
      for (const [what, { found }] of Object.entries(heard)) assert.equal(found, 0, `${what}: the secret was heard`);
    });
  }

  void test('a bash script and its children move about encrypted, and leave what they leave at home', {
    skip: whySkipped(bash) ?? false,
    timeout: 120_000,
  }, async () => {
    bash.make?.();
    await encrypting(1);
    const command = [...bash.command.slice(0, -1), '3'];
    const plain = await testbed.run(1, command, { cwd: workplace.empty() });
    const expected = workplace.trace(plain);
    // A busy machine moves less in the time that a run takes.
    let moves = 0;
    for (let seed = 1; moves <= 3; seed++) {
      assert.ok(seed <= 5, `${moves} moves in 5 runs`);
      const running = testbed.start(1, ['mosrun', `-Jbash${seed}`, ...command], { cwd: workplace.empty(), timeout: 60 });
      const storm = new Storm(testbed, await pidOfJob(testbed, `bash${seed}`), { away: [0.1, 0.3], on: 'node3', seed });
      const outcome = await running.done;
      await storm.end(20);
      note(`${storm.moves.length} moves`);
      assert.deepEqual(storm.trouble, []);
      assert.deepEqual(workplace.trace(outcome), expected);
      moves += storm.moves.length;
    }
  });

  void test('a byte changed on the way: a move fails and the program stays, one that is away ends and its user is told once', {
    timeout: 60_000,
  }, async () => {
    await encrypting(1);
    const script = readFileSync(path.join(repository, 'test/system/faulty-port.mjs'), 'utf8');
    const change = async (at: number) => {
      const words = ['change', `${at}`, `${faultyPort}`, '7071', '10.77.0.2'];
      const port = testbed.start(2, ['node', '--input-type=module', '-', ...words], { input: script });
      await port.says('listening');
      return port;
    };
    await announce(2, faultyPort);
    try {
      const one = await start();
      const port = await change(2_000_000);
      const { status, stderr, seconds } = await testbed.run(1, ['migrate', `${one.pid}`, 'node2', '--wait']);
      note(`${stderr.trim()} (${seconds.toFixed(1)} s)`);
      assert.equal(status, 1);
      assert.match(stderr, /10\.77\.0\.2:7171/, 'it names the node, not what is in between');
      assert.equal((await fact(one)).where, 'node1');
      await goesOn(one);
      port.kill('SIGKILL');
      await testbed.killStrays(2);
      await change(30_000_000);
      await goes(one, 'node2');
      await endsWell(one);
      const two = await start(4, 256 << 10);
      await goes(two, 'node2');
      const outcome = await two.running.within(30);
      note(`${outcome?.stderr.trim()} (${outcome?.seconds.toFixed(1)} s)`);
      assert.deepEqual([outcome?.status, outcome?.signal], [null, 'SIGKILL']);
      assert.match(outcome?.stderr ?? '', /^mosrun: process \d+ is lost: the connection to the node it ran on broke\n$/);
      await until(() => guestProcess(testbed, 2, two.pid) === undefined, 5, 'its guest to be gone');
    } finally {
      await announce(2, 7071);
    }
  });

  void test('mosd and mosgate are killed and started again: encrypted programs go on, get new channels, and move', {
    timeout: 60_000,
  }, async () => {
    await encrypting(1);
    const one = await start();
    await goes(one, 'node2');
    for (const node of [1, 2]) await restart(node, ['mosd', 'mosgate']);
    await goesOn(one);
    await makesFamily(one);
    await isOn(one, 'node2', true);
    await goes(one, 'node3');
    await makesFamily(one);
    await isOn(one, 'node3', true);
    await goes(one, 'home');
    // Of the first gate's, nothing goes over them any more.
    for (const node of [1, 2])
      await until(async () => (await helper(node, 'mosseal')).length <= 1, 10, `the old mosseal of node${node} to end`);
    await goes(one, 'node2');
    await endsWell(one, 2);
  });

  for (const node of [1, 2]) {
    void test(`mosseal is killed on the ${node === 1 ? 'home' : 'hosting'} node: its programs end, told once, and the next move works`, {
      timeout: 60_000,
    }, async () => {
      await encrypting(1);
      const one = await start();
      await goes(one, 'node2');
      const began = performance.now();
      for (const pid of await helper(node, 'mosseal')) process.kill(pid, 'SIGKILL');
      const outcome = await one.running.within(5);
      note(`ended after ${(performance.now() - began).toFixed(0)} ms`);
      assert.equal(outcome?.signal, 'SIGKILL');
      assert.match(outcome?.stderr ?? '', /^mosrun: process \d+ is lost: the connection to the node it ran on broke\n$/);
      await until(() => guestProcess(testbed, 2, one.pid) === undefined, 5, 'its guest to be gone');
      const two = await start();
      await goes(two, 'node2');
      await isOn(two, 'node2', true);
      await goes(two, 'home');
      await endsWell(two);
    });
  }

  /** Another user takes mosseal's name, in the network of that process (by the machine's numbers), and waits for somebody to speak. */
  async function impostor(pid: number, number: number): Promise<Listener<Spoken>> {
    const name = `mosrun-sealed${number.toString(16).padStart(8, '0')}`;
    return Listener.started<Spoken>([
      'nsenter',
      `--net=/proc/${pid}/ns/net`,
      'python3',
      path.join(repository, 'test/system/impostor.py'),
      name,
    ]);
  }

  void test("another user's program with the name of mosseal hears nothing from a mover", { timeout: 60_000 }, async () => {
    await encrypting();
    const one = await start();
    const number = 0x1234abcd;
    const other = await impostor(testbed.node(1).pid, number);
    const where = ['--address', '10.77.0.2', '--port', '7071', '--seal', `${number}`, '--node', 'node2', '--timeout', '3'];
    const words = ['out', '--pid', `${one.pid}`, '--session', '00000000deadbeef', ...where];
    const mover = path.join(repository, 'dist/libexec/mosmove');
    const { status, stdout } = await testbed.run(1, [mover, ...words], { input: `${'5a'.repeat(32)}\n` });
    assert.equal(status, 1);
    assert.match(stdout, /Operation not permitted/);
    assert.deepEqual(await other.end(), { connections: 1, bytes: 0 });
    await endsWell(one);
  });

  void test('nor from a deputy in a network of its own, which comes home instead', { timeout: 60_000 }, async () => {
    await encrypting(1);
    const one = await start(4, 4096, ['unshare', '--net']);
    await goes(one, 'node2');
    await goesOn(one);
    const atHome = homeProcess(testbed, 1, one.pid) ?? 0;
    const names = readFileSync(`/proc/${testbed.node(1).pid}/net/unix`, 'utf8').matchAll(/@mosrun-sealed([0-9a-f]{8})$/gm);
    const numbers = [...new Set([...names].map(([, number = '']) => Number.parseInt(number, 16)))];
    const others = await Promise.all(numbers.map((number) => impostor(atHome, number)));
    await makesFamily(one);
    await isOn(one, 'node1', false);
    const heard = await Promise.all(others.map((other) => other.end()));
    assert.deepEqual(
      [heard.reduce((sum, { bytes }) => sum + bytes, 0), heard.some(({ connections }) => connections > 0)],
      [0, true],
    );
    await endsWell(one, 1);
  });

  void test('a program that is away stays as it is when the configuration changes; the next move does not', {
    timeout: 60_000,
  }, async () => {
    await encrypting();
    const one = await start();
    await goes(one, 'node2');
    await encrypting(1, 2);
    await goesOn(one);
    await isOn(one, 'node2', false);
    await goes(one, 'node3');
    await isOn(one, 'node3', true);
    await goes(one, 'home');
    await goes(one, 'node2');
    await isOn(one, 'node2', true);
    await endsWell(one);
  });
});
