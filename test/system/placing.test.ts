/** Nodes that place processes by themselves: nobody gives an order here. MOSRUN_TEST_PLACING=1: as long and with as much of the machine as it takes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BestNodeDocument, ExplanationDocument, ProcessDocument } from '../../lib/shared/documents.js';
import { whySkipped, endlessPython } from './programs.js';
import { note, type Running, sleep, Testbed, until, whyNoTestbed } from './testbed.js';

const whole = process.env['MOSRUN_TEST_PLACING'] !== undefined;
const skip = whyNoTestbed() ?? whySkipped(endlessPython) ?? false;

const processes = async (testbed: Testbed): Promise<ProcessDocument[]> => (await testbed.daemon(1)).processes();

const listed = async (testbed: Testbed, job: string): Promise<ProcessDocument | undefined> =>
  (await processes(testbed)).find((one) => one.job === job);

/** When every node has heard of all. */
const known = (testbed: Testbed): Promise<unknown> =>
  until(
    async () =>
      (await testbed.run(1, ['mosbestnode', '--explain'])).stdout.split('\n').every((line) => !line.includes('not known')),
    10,
    'all nodes to be known',
  );

/** The shortest time in which whole jobs of one length can be done, each on one node from start to end. */
function bestMakespan(jobs: number, seconds: number, cpus: readonly number[]): number {
  const counts = cpus.map(() => 0);
  // A job more where it ends soonest is the best for equal jobs.
  for (let each = 0; each < jobs; each++) {
    const ends = cpus.map((cpu, node) => (((counts[node] ?? 0) + 1) * seconds) / cpu);
    const node = ends.indexOf(Math.min(...ends));
    counts[node] = (counts[node] ?? 0) + 1;
  }
  return Math.max(...cpus.map((cpu, node) => ((counts[node] ?? 0) * seconds) / cpu));
}

describe('programs that compute', { skip, timeout: 300_000 }, () => {
  const cpus = whole ? [0.6, 0.4, 0.3, 0.2] : [0.4, 0.3, 0.2, 0.1];
  const seconds = whole ? 8 : 2.5;
  let testbed: Testbed;
  before(async () => {
    testbed = await Testbed.up(4, '--automatic', '--cpus', cpus.join(','));
    await known(testbed);
  });
  after(() => testbed?.down());

  void test('twelve of them on one node spread over four, and stay then', async () => {
    const began = performance.now();
    const command = ['mosrun', '-h', '-l', '-J', 'twelve', 'mostestload', '--cpu', `${seconds}`];
    const all: Running[] = Array.from({ length: 12 }, () => testbed.start(1, command, { timeout: 200 }));
    await sleep(10);
    let spread = await processes(testbed);
    const onEach = () => cpus.map((_, index) => spread.filter(({ where }) => where === `node${index + 1}`).length);
    const perProcessor = () => onEach().map((count, index) => count / (cpus[index] ?? 1));
    const isEven = (): boolean => Math.max(...perProcessor()) <= Math.min(...perProcessor()) + 12;
    // With a tenth of a processor a node may need longer for its own part, and much longer where other tests have the machine.
    const hasSpread = async (): Promise<boolean> => {
      spread = await processes(testbed);
      return isEven() && onEach().every((count) => count > 0);
    };
    if (!whole) await until(hasSpread, 18, 'every node to have its share').catch(() => {});
    const on = onEach();
    note(`after 10 s there are ${on.join(', ')} on nodes with ${cpus.join(', ')} processors`);
    assert.ok(
      on.every((count) => count > 0),
      'every node has some',
    );
    assert.ok(
      isEven(),
      `${perProcessor()
        .map((one) => one.toFixed(1))
        .join(', ')} for each processor`,
    );
    const moves = new Map(spread.map(({ pid, migrations }) => [pid, { first: migrations, last: migrations }]));
    const look = async (): Promise<boolean> => {
      for (const { pid, migrations } of await processes(testbed)) {
        const one = moves.get(pid);
        if (one && performance.now() - began < 70_000) one.last = migrations;
      }
      return all.every(({ ended }) => ended);
    };
    while (!(await look())) await sleep(1);
    const makespan = (performance.now() - began) / 1000;
    const most = Math.max(...[...moves.values()].map(({ first, last }) => last - first));
    const best = bestMakespan(12, seconds, cpus);
    note(
      `done in ${makespan.toFixed(1)} s, of one assignment ${best.toFixed(1)} s at best; ${most} moves of one at most in the minute after`,
    );
    for (const running of all) assert.equal((await running.done).status, 0, running.stderr);
    // Among other tests what a node has of the machine changes all the time.
    assert.ok(most <= (whole ? 2 : 6), `one has moved ${most} times`);
    if (whole) assert.ok(makespan <= 1.15 * best, `${makespan} s`);
  });

  void test('a program starts where it is best, unless it is told where', async () => {
    const load = testbed.start(1, ['mosrun', '-h', '-L', 'mostestload', '--cpu', '0', '--threads', '3'], { timeout: 60 });
    await until(
      async () => (await testbed.run(1, ['mosbestnode'])).stdout !== 'node1\n',
      20,
      'another node to be better than the one with load',
    );
    const best = await testbed.json<BestNodeDocument>(1, 'mosbestnode', '--json');
    assert.equal(best.decision.candidates.length, 4);
    assert.match(
      (await testbed.run(1, ['mosbestnode', '--explain'])).stdout,
      /start: node1 to node\d: .* less time there\n.*\n.*NODE +THREADS\/CORE/,
    );
    const start = async (...options: string[]): Promise<string> => {
      const job = `start${options.join('')}`.replaceAll(/[^a-z0-9]/g, '');
      const running = testbed.start(1, ['mosrun', ...options, '-J', job, 'mostestload', '--cpu', '0'], { timeout: 30 });
      const found = await until(
        async () => {
          const one = await listed(testbed, job);
          return one && one.command.startsWith('mostestload') && one.state !== 'moving' ? one : null;
        },
        20,
        `${job} to run`,
      );
      await testbed.kill(1, found.pid, 'KILL');
      await running.done;
      return found.where;
    };
    assert.notEqual(await start(), 'node1');
    assert.equal(await start('-h'), 'node1');
    assert.ok(['node3', 'node4'].includes(await start('-j', 'node3,4', '-L')));
    // Nobody has so much memory: then it is as good at home.
    assert.equal(await start('-L', '-m', '100000000'), 'node1');
    const missing = await testbed.run(1, ['mosrun', '-j', '7-9', 'true']);
    assert.equal(missing.status, 125);
    assert.match(missing.stderr, /no node is called 7/);
    load.kill('SIGKILL');
    await testbed.killStrays(1);
  });
});

const phases = `
import os, time
def compute(seconds):
    end, x = time.process_time() + seconds, 1
    while time.process_time() < end:
        for i in range(20000): x = (x * 1103515245 + 12345) & 0x7fffffff
def calls(seconds):
    fd, end = os.open("data", os.O_RDWR | os.O_CREAT), time.time() + seconds
    os.write(fd, bytes(65536))
    while time.time() < end:
        os.lseek(fd, 0, 0)
        for i in range(16): assert len(os.read(fd, 4096)) == 4096
print("computes", flush=True); compute(3)
print("calls", flush=True); calls(14)
print("computes again", flush=True); compute(5)
print("ends", flush=True)
`;

const grows = `
import sys, time
chunks = []
for i in range(50):
    chunk = bytearray(10 << 20)
    for k in range(0, len(chunk), 4096): chunk[k] = (k >> 12) & 255
    chunks.append(chunk)
    time.sleep(0.1)
print("grown", flush=True)
time.sleep(2)
print(sum(chunk[4096 * 7] for chunk in chunks), len(chunks), flush=True)
`;

describe('a node that is emptied', { skip, timeout: 120_000 }, () => {
  let testbed: Testbed;
  before(async () => {
    testbed = await Testbed.up(3, '--automatic', '--cpus', '0.2,0.6,0.4');
    await known(testbed);
  });
  after(() => testbed?.down());

  void test('has its guests go to another node; those that are locked go home', async () => {
    const start = (job: string, ...options: string[]): Running =>
      testbed.start(1, ['mosrun', ...options, '-J', job, 'mostestload', '--cpu', '0'], { timeout: 60 });
    const all = [start('free', '-r', '2', '-l'), start('locked', '-r', '2')];
    for (const job of ['free', 'locked'])
      await until(async () => (await listed(testbed, job))?.where === 'node2', 20, `${job} to be on node2`);
    await testbed.run(2, ['mosctl', 'block']);
    const { stdout, stderr } = await testbed.run(2, ['mosctl', 'expel']);
    assert.match(stdout, /^expel: 2 of 2 processes have left, in /, stderr);
    assert.equal((await listed(testbed, 'free'))?.where, 'node3');
    assert.equal((await listed(testbed, 'locked'))?.where, 'node1');
    for (const running of all) running.kill('SIGKILL');
    await testbed.killStrays(1);
  });
});

describe('a program whose needs change', { skip, timeout: 300_000 }, () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-placing-'));
  let testbed: Testbed;
  before(async () => {
    writeFileSync(path.join(directory, 'phases.py'), phases);
    writeFileSync(path.join(directory, 'grows.py'), grows);
    testbed = await Testbed.up(3, '--automatic', '--cpus', '0.5,0.7,0.3', '--memory', '400M,900M,300M');
    await known(testbed);
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true });
  });

  void test('goes home when it turns from computing to calls, and away again when it computes', async () => {
    const command = ['mosrun', '-h', '-l', '-J', 'phases', 'python3', 'phases.py'];
    const running = testbed.start(1, command, { cwd: directory, timeout: 120 });
    const isAt = (node: string, seconds: number, when: string): Promise<unknown> =>
      until(async () => (await listed(testbed, 'phases'))?.where === node, seconds, `it to be on ${node} ${when}`);
    await running.says('computes');
    await isAt('node2', 15, 'where there is more to compute with');
    await running.says('calls', 60);
    await isAt('node1', 13, 'where its file is');
    const { pid } = (await listed(testbed, 'phases')) as ProcessDocument;
    const { decisions } = await testbed.json<ExplanationDocument>(1, 'mosps', '--explain', `${pid}`, '--json');
    const back = decisions.find(({ to }) => to === 'node1');
    assert.ok(back && back.trigger === 'balance' && back.from === 'node2' && back.calls_per_cpu_second > 1000);
    const text = (await testbed.run(1, ['mosps', '--explain', `${pid}`])).stdout;
    assert.match(text, /why there: balance: node1 costs the cluster less, and it needs \d+ % less time there/);
    assert.match(text, /where it should be:\n/);
    await running.says('computes again', 60);
    await isAt('node2', 15, 'again');
    const outcome = await running.done;
    assert.deepEqual([outcome.status, outcome.stdout], [0, 'computes\ncalls\ncomputes again\nends\n'], outcome.stderr);
  });

  void test('goes where there is memory for it before there is none left', async () => {
    const running = testbed.start(1, ['mosrun', '-h', '-l', '-J', 'grows', 'python3', 'grows.py'], {
      cwd: directory,
      timeout: 120,
    });
    const outcome = await running.done;
    assert.deepEqual([outcome.status, outcome.stdout], [0, 'grown\n350 50\n'], outcome.stderr);
    const log = testbed.log(1, 200);
    assert.match(log, /"reason":"memory: memory runs out on node1, and node2 has room"/);
  });

  void test('stays where it is when it is locked, and when its node says so', async () => {
    const locked = testbed.start(1, ['mosrun', '-h', '-J', 'locked', 'mostestload', '--cpu', '0'], { timeout: 60 });
    await testbed.run(1, ['mosctl', 'lstay']);
    const stays = testbed.start(1, ['mosrun', '-J', 'stays', 'mostestload', '--cpu', '0'], { timeout: 60 });
    await sleep(5);
    for (const job of ['locked', 'stays']) assert.equal((await listed(testbed, job))?.where, 'node1', job);
    await testbed.run(1, ['mosctl', 'nolstay']);
    await until(async () => (await listed(testbed, 'stays'))?.where === 'node2', 15, 'it to leave when it may');
    assert.equal((await listed(testbed, 'locked'))?.where, 'node1');
    for (const running of [locked, stays]) running.kill('SIGKILL');
    await testbed.killStrays(1);
  });
});
