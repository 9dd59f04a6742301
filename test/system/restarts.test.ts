/** The daemon and the gate end, are killed and are replaced, on either node: programs go on wherever they are, and all is found again. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { alive, guestProcess } from './kernel.js';
import { whySkipped } from './programs.js';
import { type Listed, listed, pidOfJob } from './storm.js';
import { note, repository, type Running, sleep, Testbed, tryRead, until, whyNoTestbed } from './testbed.js';

type Part = 'mosd' | 'mosgate';
interface Row {
  node: 1 | 2;
  what: Part[];
  how: 'TERM' | 'KILL' | 'upgrade';
}

const rows: Row[] = ([1, 2] as const).flatMap((node) => [
  ...(['TERM', 'KILL'] as const).flatMap((how) =>
    [['mosd'], ['mosgate'], ['mosd', 'mosgate']].map((what): Row => ({ node, what: what as Part[], how })),
  ),
  // The other build's daemon replaces the gate by itself.
  { node, what: ['mosd'], how: 'upgrade' },
]);

interface Program {
  job: string;
  pid: number;
  running: Running;
  /** Its count of blocks. */
  counter: string;
  families: number;
}

/** What a restart may not change. */
function lasting(process: Listed | undefined): Partial<Listed> {
  assert.ok(process);
  const { pid, command, user, home, where, migrations, last_freeze_seconds, job } = process;
  return { pid, command, user, home, where, migrations, last_freeze_seconds, job };
}

describe('restarts', { skip: whyNoTestbed() ?? whySkipped({ needs: ['python3'] } as never) ?? false }, () => {
  let testbed: Testbed;
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-restarts-'));
  const builds = [path.join(repository, 'dist'), path.join(directory, 'dist')] as const;
  /** Which build each node runs. */
  const installed: Record<number, string> = { 1: builds[0], 2: builds[0] };
  const programs: Program[] = [];
  /** Process 1 of node1. */
  let init: number;

  before(async () => {
    // So slow that a daemon can be ended in the middle of a move.
    testbed = await Testbed.up(2, '--rate', '400mbit');
    init = testbed.node(1).pid;
    // Not the packages: the tests of those make and remove them meanwhile.
    for (const part of ['bin', 'libexec']) {
      const [from, to] = builds.map((build) => path.join(build, part)) as [string, string];
      cpSync(from, to, { recursive: true });
      const copy = `require('node:fs').cpSync(${JSON.stringify(from)}, ${JSON.stringify(to)}, { recursive: true })`;
      const { status, stderr } = await testbed.run(2, ['node', '-e', copy]);
      assert.equal(status, 0, stderr);
    }
    for (const job of ['a', 'b', 'c', 'd']) {
      const cwd = mkdtempSync(path.join(directory, job));
      // Four that compute all the time would leave nothing to the daemons that are waited for.
      const command = ['python3', path.join(repository, 'test/programs/families.py'), 'count', '0.02'];
      const running = testbed.start(1, ['mosrun', `-J${job}`, ...command], { cwd });
      await running.says('ready');
      programs.push({ job, pid: await pidOfJob(testbed, job), running, counter: path.join(cwd, 'count'), families: 0 });
    }
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  const turns = ({ counter }: Program): number => Number(readFileSync(counter, 'latin1'));
  const facts = async () => new Map((await listed(testbed)).map((one) => [one.pid, one]));

  /** Its mover is at work; seen without asking the daemon, which takes longer than the move. */
  const isMoving = ({ pid }: Program): boolean => existsSync(`/proc/${init}/root/run/mosrun/movers/${pid}.json`);

  async function gateOf(node: number): Promise<number> {
    const found = async () =>
      (await testbed.helpers(node)).find((pid) => tryRead(`/proc/${pid}/comm`).startsWith('mosgate')) ?? 0;
    return until(found, 10, `mosgate of node${node}`);
  }

  /** Finds what is to end; the answer ends all of it at the same moment, and starts the daemon again. It starts the gate. */
  async function aim({ node, what, how }: Row): Promise<() => Promise<void>> {
    const victims: number[] = [];
    if (what.includes('mosgate')) victims.push(await gateOf(node));
    if (what.includes('mosd')) victims.push(testbed.node(node).mosd_pid ?? assert.fail(`node${node} has no daemon`));
    return async () => {
      for (const pid of victims) process.kill(pid, how === 'KILL' ? 'SIGKILL' : 'SIGTERM');
      if (!what.includes('mosd')) return;
      await until(() => !victims.some(alive), 10, 'them to end');
      if (how === 'upgrade') installed[node] = installed[node] === builds[0] ? builds[1] : builds[0];
      const { status, stderr } = await testbed.control('start-daemon', `${node}`, '--from', `${installed[node]}/bin`);
      assert.equal(status, 0, stderr);
      await testbed.comes(node);
    };
  }

  const order = (program: Program, to: string) => testbed.run(1, ['migrate', `${program.pid}`, to, '--wait', '--json']);

  /** A move that must succeed: neither what was disturbed nor what is left of it may be in its way. */
  async function goes(program: Program, to: string): Promise<void> {
    let last = '';
    const moved = async () => {
      const { status, stdout } = await order(program, to);
      last = stdout;
      return status === 0;
    };
    await until(moved, 10, `${program.job} to go ${to}`).catch((error: Error) => {
      throw new Error(`${error.message}: ${last}\n${testbed.log(1)}`);
    });
  }

  async function goesOn(program: Program): Promise<void> {
    const before = turns(program);
    await until(() => turns(program) > before + 2, 10, `${program.job} to go on`);
    assert.equal(program.running.ended, false);
  }

  /** More threads and children than it had channels for. */
  async function makesFamily(program: Program): Promise<void> {
    await testbed.run(1, ['sh', '-c', `kill -USR1 ${program.pid}`]);
    program.families++;
    const text = `ready\n${'family\n'.repeat(program.families)}`;
    await until(() => program.running.stdout === text, 15, `${program.job} to make threads and children`);
  }

  // Every program moves at the start of each, as its part changes: what one left behind would be in the way of the next.
  for (const [index, row] of rows.entries()) {
    const what = row.how === 'upgrade' ? 'upgrade' : `${row.how} and restart of ${row.what.join(' and ')}`;
    void test(`${what} on the ${row.node === 1 ? 'home' : 'hosting'} node`, { timeout: 120_000 }, async () => {
      const [home, away, leaving, returning] = [0, 1, 2, 3].map((at) => programs[(at + index) % 4] as Program) as [
        Program,
        Program,
        Program,
        Program,
      ];
      await Promise.all([goes(home, 'home'), goes(leaving, 'home'), goes(away, 'node2'), goes(returning, 'node2')]);
      const before = await facts();
      const gate = await gateOf(row.node);

      const disrupt = await aim(row);
      const orders = [order(leaving, 'node2'), order(returning, 'home')];
      const begun = new Set<Program>();
      let over = 0;
      for (const one of orders) void one.then(() => over++);
      // On a busy machine a move may be over before it was seen.
      const bothBegan = () => {
        for (const program of [leaving, returning].filter(isMoving)) begun.add(program);
        return begun.size === 2 || over === 2;
      };
      await until(bothBegan, 20, 'both moves to begin');
      await sleep(0.05);
      await disrupt();
      const outcomes = await Promise.all(orders);
      await testbed.comes(row.node);

      // What was not moving is where it was, with all that was known of it.
      const now = await facts();
      for (const program of [home, away]) {
        assert.deepEqual(lasting(now.get(program.pid)), lasting(before.get(program.pid)), `${program.job} is found again`);
      }
      const visiting = async () => (await (await testbed.daemon(2)).listing()).guests;
      const isKnown = async () =>
        (await visiting()).some(
          ({ home_pid: pid, home: from, state }) => pid === away.pid && from === 'node1' && state === 'running',
        );
      await until(isKnown, 5, 'the hosting node to know its guest').catch(async (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(await visiting())}\n${testbed.log(2)}`);
      });
      // What was moving is on one side or the other, whatever became of the order.
      for (const program of [leaving, returning]) {
        await until(
          async () => ['running', 'away'].includes((await facts()).get(program.pid)?.state ?? ''),
          10,
          `${program.job} to settle`,
        );
      }
      await Promise.all(programs.map(goesOn));
      if (row.how === 'upgrade' || row.what.includes('mosgate')) {
        const other = async () => (await gateOf(row.node)) !== gate;
        await until(other, 5, `another mosgate on node${row.node}`);
        assert.equal(
          readlinkSync(`/proc/${await gateOf(row.node)}/exe`),
          path.join(installed[row.node] ?? '', 'libexec/mosgate'),
        );
      }
      await makesFamily(away);
      assert.equal((await facts()).get(away.pid)?.where, 'node2', 'it stayed away for that');
      // The home-node's gate has no part in these moves, and whoever is on the hosting node none in the order to come home.
      const mustSucceed = row.node === 2 ? outcomes.slice(1) : row.what.includes('mosd') ? [] : outcomes;
      for (const { status, stderr } of mustSucceed) assert.equal(status, 0, stderr);
      const told = outcomes.map(({ status, stderr }) => (status === 0 ? 'moved' : stderr.trim()));
      note(`going out: ${told[0]}, coming home: ${told[1]}`);
    });
  }

  void test('the programs move, end as if nothing had been, and leave nothing', async () => {
    await Promise.all(programs.map((program) => goes(program, 'node2')));
    await Promise.all(programs.map((program) => goes(program, 'home')));
    for (const { pid } of programs) await testbed.kill(1, pid);
    for (const { running, families, job } of programs) {
      const outcome = await running.within(20);
      const expected = [0, `ready\n${'family\n'.repeat(families)}all is right\n`, ''];
      assert.deepEqual([outcome?.status, outcome?.stdout, outcome?.stderr], expected, job);
    }
    for (const { pid } of programs)
      await until(() => guestProcess(testbed, 2, pid) === undefined, 5, `the guest of ${pid} to end`);
    for (const node of [1, 2]) {
      for (const what of ['movers', 'sessions', 'processes', 'jobs', 'history']) {
        const list = `process.stdout.write(require('node:fs').readdirSync('/run/mosrun/${what}').join(' '))`;
        const left = async () => (await testbed.run(node, ['node', '-e', list])).stdout;
        await until(async () => (await left()) === '', 20, `/run/mosrun/${what} of node${node} to be empty`).catch(
          async (error: Error) => {
            throw new Error(`${error.message}: ${await left()}`);
          },
        );
      }
    }
  });
});
