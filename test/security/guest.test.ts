/** A hostile program that is away, judged from outside: by what its hosting node, its home and the other guests are afterwards. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, chmodSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { alive, guestProcess } from '../system/kernel.js';
import { endlessPython as witnessProgram, whySkipped } from '../system/programs.js';
import { pidOf, Workplace } from '../system/storm.js';
import {
  killIfAlive,
  type Outcome,
  note,
  repository,
  type Running,
  Testbed,
  tryRead,
  until,
  whyNoTestbed,
} from '../system/testbed.js';

const attack = path.join(repository, 'build/security/attack');
const LISTENER = 7998;
const PORT = 7997;

function compile(): void {
  const sources = path.join(repository, 'test/security');
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
  mkdirSync(path.dirname(attack), { recursive: true });
  const words = ['-O1', '-Wall', '-Wextra', '-Werror', '-static', '-pthread', ...files, '-o', attack];
  const { status, stderr } = spawnSync('gcc', words, { cwd: sources, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** What a node is, as far as a guest could have changed it. */
const look = `
const fs = require('fs'), os = require('os');
const read = (file) => { try { return fs.readFileSync(file, 'utf8'); } catch { return ''; } };
const list = (directory) => { try { return fs.readdirSync(directory).sort(); } catch { return []; } };
const listening = ['tcp', 'tcp6', 'udp'].flatMap((kind) => read('/proc/net/' + kind).split('\\n').filter((line) => / (0A|07) /.test(line)).map((line) => line.split(/ +/)[2]));
console.log(JSON.stringify({
  hostname: os.hostname(), domain: read('/proc/sys/kernel/domainname'), mounts: read('/proc/self/mounts'),
  files: ['/', '/run', '/tmp', '/etc/mosrun', '/dev'].map(list), listening: listening.sort(),
  messages: read('/proc/sysvipc/msg'), shared: read('/proc/sysvipc/shm'), semaphores: read('/proc/sysvipc/sem'),
  sysctls: ['kernel/core_pattern', 'kernel/panic', 'kernel/pid_max', 'vm/overcommit_memory', 'net/ipv4/ip_forward'].map((name) => read('/proc/sys/' + name)),
}));`;

/** Listens where only its own node can come, and says so when somebody does. */
const canary = `require('net').createServer((socket) => { console.log('reached'); socket.on('error', () => {}); }).listen(${LISTENER}, '127.0.0.1', () => console.log('pid', process.pid));`;

describe('a hostile guest', { skip: whyNoTestbed() ?? whySkipped(witnessProgram) ?? false, timeout: 300_000 }, () => {
  let testbed: Testbed;
  let sentinel: Running;
  let sentinelPid: string;
  let witness: Running;
  let witnessPid: number;
  let witnessGuest: number;
  let helpers: number[];
  const states = new Map<number, unknown>();
  const workplace = new Workplace();

  /** Of the home-node, where a program may do what its user may, only what takes other rights. */
  const state = async (node: number): Promise<unknown> => {
    const { stdout } = await testbed.run(node, ['node', '-e', look]);
    const all = JSON.parse(stdout) as { hostname: string; domain: string; mounts: string; sysctls: string[] };
    const { hostname, domain, mounts, sysctls } = all;
    // What its user may make at home, and the machine's own mounts, come and go there.
    return node === 1 ? { hostname, domain, sysctls, reached: mounts.includes('reached') } : all;
  };
  const machineRoot = async (node: number): Promise<string> => `/proc/${testbed.node(node).pid}/root`;

  before(async () => {
    compile();
    testbed = await Testbed.up(2, '--memory', '700M');
    copyFileSync(attack, `${await machineRoot(2)}/run/attack`);
    chmodSync(`${await machineRoot(2)}/run/attack`, 0o755);
    // Its number is to be far from all that home has given out: who kills by that number at home must not meet itself.
    const numbers = 'i=0; while [ $i -lt 3000 ]; do (:); i=$((i+1)); done';
    spawnSync('nsenter', ['-t', `${testbed.node(2).pid}`, '-p', 'sh', '-c', numbers]);
    sentinel = testbed.start(2, ['node', '-e', canary]);
    await sentinel.says('pid');
    sentinelPid = /pid (\d+)/.exec(sentinel.stdout)?.[1] ?? '';
    assert.ok(Number(sentinelPid) > 3000, sentinelPid);
    witness = testbed.start(1, ['mosrun', '-r', '2', ...witnessProgram.command], { cwd: workplace.empty() });
    await witness.says('ready');
    witnessPid = await pidOf(testbed, witnessProgram.command.slice(1).join(' '));
    witnessGuest = await until(() => guestProcess(testbed, 2, witnessPid), 10, 'the other guest');
    helpers = await testbed.helpers(2);
    for (const node of [1, 2]) states.set(node, await state(node));
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  const away = (words: string[], seconds: number): Running =>
    testbed.start(1, ['mosrun', '-r', '2', attack, ...words], { user: 'nobody', timeout: seconds });

  /** Nobody but the attacker has noticed anything. */
  async function nobodyNoticed(): Promise<void> {
    for (const node of [1, 2]) assert.deepEqual(await state(node), states.get(node), `node${node} is as it was`);
    assert.deepEqual(await testbed.helpers(2), helpers, 'the daemon and mosgate of the hosting node are the same');
    assert.ok(helpers.every(alive));
    assert.equal((await testbed.run(2, ['mosctl', 'status'])).status, 0, 'and they answer');
    assert.ok(!sentinel.ended && !sentinel.stdout.includes('reached'), 'the process beside it lives, and has heard nothing');
    assert.ok(alive(witnessGuest), 'the other guest goes on');
  }

  async function ended(running: Running): Promise<Outcome> {
    const outcome = await running.done;
    assert.match(outcome.stdout, /^begins in the stub/, outcome.stderr);
    // Children may outlive it, as anywhere.
    for (const pid of testbed.processes(1).filter((one) => tryRead(`/proc/${one}/comm`).trim() === 'attack')) killIfAlive(pid);
    await until(async () => (await (await testbed.daemon(2)).listing()).guests.length === 1, 10, 'its guests to be gone');
    return outcome;
  }

  const result = ({ stdout }: { stdout: string }) => /inside (-?\d+)/.exec(stdout)?.[1];

  /** What, with which words, and how it shows on the node. */
  const reaches: [
    string,
    string,
    (victim: string) => string[],
    (victim: string, running: Running) => Promise<boolean> | boolean,
  ][] = [
    ['makes a file', 'file', () => ['/run/reached'], async () => readdirSync(`${await machineRoot(2)}/run`).includes('reached')],
    ['names the host', 'hostname', () => [], async () => ((await state(2)) as { hostname: string }).hostname === 'reached'],
    ['mounts', 'mount', () => [], async () => tryRead(`/proc/${testbed.node(2).pid}/mounts`).includes('reached')],
    [
      'kills',
      'kill',
      (victim) => [victim],
      async (victim) => (await testbed.run(2, ['node', '-e', `process.kill(${victim}, 0)`])).status !== 0,
    ],
    [
      'traces',
      'trace',
      (victim) => [victim],
      async (victim) =>
        !/TracerPid:\t0/.test(
          (await testbed.run(2, ['node', '-e', `console.log(require('fs').readFileSync('/proc/${victim}/status', 'utf8'))`]))
            .stdout,
        ),
    ],
    [
      'listens',
      'listen',
      () => [`${PORT}`],
      async () => JSON.stringify(await state(2)).includes(`:${PORT.toString(16).toUpperCase()}`),
    ],
    ['connects', 'connect', () => [`${LISTENER}`], () => sentinel.stdout.includes('reached')],
    ['makes namespaces', 'namespace', () => [], (_victim, running) => Number(result(running)) > 0],
  ];
  for (const [what, name, words, shows] of reaches) {
    void test(`${what} nowhere on its hosting node`, async () => {
      const running = away([`reach-${name}`, ...words(sentinelPid)], 30);
      await running.says('inside');
      assert.ok(!(await shows(sentinelPid, running)));
      running.kill();
      await running.done;
    });
  }

  void test('nobody has noticed that', nobodyNoticed);

  const batters = ['numbers', 'jumps', 'frames', 'smashes', 'descriptors', 'lies', 'int80'];
  const names: Record<string, string> = {
    numbers: 'issues every number with hostile arguments, in its own code and in the stub',
    jumps: 'jumps into the stub anywhere',
    frames: 'forges signal frames',
    smashes: "overwrites the stub's control, book and slots",
    descriptors: "closes and copies the stub's descriptors",
    lies: 'writes garbage and lies to its channels and to its keeper',
    int80: 'uses the calls of another architecture',
  };
  for (const batter of batters) {
    void test(`a guest that ${names[batter]} harms nobody but itself`, async () => {
      const outcome = await ended(away([batter], 90));
      note(/ends.*/.exec(outcome.stdout)?.[0] ?? `ended by ${outcome.signal ?? outcome.status}`);
      // What it does to descriptors may end the output at home, which is its user's to do.
      if (batter !== 'descriptors') assert.match(outcome.stdout, /^ends: /m);
      await nobodyNoticed();
    });
  }

  const limits = (): string => tryRead(`/proc/${witnessGuest}/limits`);
  const exhausts: [string, (said: string) => void][] = [
    ['descriptors', (said) => assert.ok(Number(/ends: (\d+)/.exec(said)?.[1]) <= 65536)],
    ['threads', () => {}],
    [
      'processes',
      (said) => {
        assert.match(said, /raises the limit: -1\n/);
        assert.ok(Number(/ends: (\d+)/.exec(said)?.[1]) <= 200, said);
        const most = Math.min(16384, Math.floor(Number((states.get(2) as { sysctls: string[] }).sysctls[2]) / 8));
        assert.match(limits(), new RegExp(`^Max processes +${most} +${most} `, 'm'));
      },
    ],
    ['memory', () => assert.equal(tryRead(`/proc/${witnessGuest}/oom_score_adj`).trim(), '1000')],
  ];
  for (const [what, check] of exhausts) {
    void test(`a guest that takes all ${what} it can get starves nobody but guests`, async () => {
      const running = away([`exhaust-${what}`], 60);
      await until(() => running.stdout.includes('ends:') || running.ended, 50, 'it to have what it can get');
      note(running.stdout.trim().split('\n').at(-1) ?? '');
      check(running.stdout);
      assert.equal((await testbed.run(2, ['mosctl', 'status'])).status, 0, 'its node goes on meanwhile');
      running.kill();
      await running.done;
      await nobodyNoticed();
    });
  }

  void test('the other guest has computed the right thing all the time', async () => {
    await testbed.kill(1, witnessPid);
    const outcome = await witness.within(20);
    assert.deepEqual([outcome?.status, outcome?.stdout], [0, 'ready\nall blocks are equal\n']);
  });

  // Control: each way of reaching out works where there is no sandbox, and shows.
  for (const [what, name, words, shows] of reaches) {
    void test(`without a sandbox the same program ${what}`, async () => {
      const victim = testbed.start(2, ['node', '-e', 'console.log("pid", process.pid); setInterval(() => {}, 1000)']);
      await victim.says('pid');
      const pid = /pid (\d+)/.exec(victim.stdout)?.[1] ?? '';
      const running = testbed.start(2, ['/run/attack', `reach-${name}`, ...words(pid)], { timeout: 30 });
      await running.says('inside');
      assert.match(running.stdout, /^begins without a stub/);
      await until(() => shows(pid, running), 5, 'what it did to show');
      running.kill();
      victim.kill();
      await Promise.all([running.done, victim.done]);
    });
  }
});
