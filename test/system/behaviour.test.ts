/** What the kernel promises to programs, checked by programs: away all the time, and moved about all the time. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { ComeHomes, wrongly } from './come-homes.js';
import { guestProcess, homeProcess, times } from './kernel.js';
import { firstThread, isShort, waits } from './programs.js';
import { listed, pidOf, Storm, Workplace } from './storm.js';
import { note, repository, sleep, Testbed, tryRead, until, whyNoTestbed } from './testbed.js';

const areas = ['signals', 'faults', 'cores', 'clocks', 'memory', 'processes', 'descriptors', 'ipc'];
/**
 * What by its arguments must be done at home. Two processes on one shared mapping: until groups move together, such a fork. A file that is
 * mapped shared, and open for writing. A notice by a
 * thread: the C library's cookie is in the program's memory.
 */
const atHome: Record<string, string[]> = { memory: ['fork', 'mmap'], ipc: ['mq_notify'] };
/** For as long as it has such a mapping. */
const refusals = ['it shares memory with another process', 'it maps a file shared'];
const built = path.join(repository, 'build/programs');
const noCompiler = spawnSync('gcc', ['--version']).error ? 'gcc not installed' : undefined;

describe('promises of the kernel', { skip: whyNoTestbed() ?? noCompiler ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();

  before(async () => {
    mkdirSync(built, { recursive: true });
    for (const area of areas) {
      const source = path.join(repository, `test/programs/behaviour/${area}.c`);
      const words = ['-O1', '-Wall', '-Wextra', '-Werror', source, '-o', path.join(built, area), '-pthread', '-ldl', '-lrt'];
      const { status, stderr } = spawnSync('gcc', words, { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
    testbed = await Testbed.up(2);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });
  afterEach(() => testbed.killStrays(1));

  for (const area of areas) {
    const program = path.join(built, area);

    void test(`${area}, away from the first instruction to the last`, { timeout: 60_000 }, async () => {
      const plain = await testbed.run(1, [program, '0'], { cwd: workplace.empty() });
      assert.deepEqual([plain.status, plain.stdout], [0, 'ok\n'], 'at home');
      const comeHomes = new ComeHomes(testbed, testbed.node(1).pid);
      const { status, signal, stdout, stderr } = await testbed.run(1, ['mosrun', '-r', 'node2', program, '2'], {
        cwd: workplace.empty(),
        timeout: 40,
      });
      const brought = comeHomes.end();
      note(`came home by themselves: ${JSON.stringify(brought)}`);
      assert.deepEqual([status, signal, stdout, stderr], [0, null, 'ok\n', ''], 'away');
      assert.deepEqual(
        wrongly(brought).filter((name) => !atHome[area]?.includes(name)),
        [],
      );
    });

    void test(`${area}, moved about all the time`, { timeout: 240_000 }, async () => {
      // A busy machine moves less in the time a run takes.
      let moves = 0;
      for (let seed = 3; moves < 10; seed++) {
        assert.ok(seed < 9, `only ${moves} moves in 6 runs`);
        const running = testbed.start(1, ['mosrun', program, isShort ? '4' : '6', 'elapsed'], {
          cwd: workplace.empty(),
          timeout: 60,
        });
        const pid = await pidOf(testbed, program);
        const storm = new Storm(testbed, pid, { away: [0.05, 0.3], home: [0, 0.2], seed });
        await until(() => running.ended, 70, 'the program to end');
        const { status, signal, stdout, stderr } = await running.done;
        storm.stop();
        note(`${storm.moves.length} moves`);
        assert.deepEqual(storm.troubleBut(refusals), [], 'no move fails');
        assert.deepEqual([status, signal, stdout, stderr], [0, null, 'ok\n', '']);
        moves += storm.moves.length;
      }
    });
  }

  void test('SIGSTOP stops a guest that only computes, SIGCONT lets it go on at once', { timeout: 30_000 }, async () => {
    const script = 'trap "exit 7" TERM; while :; do :; done';
    // Not a child of the runner's, which would stop with it.
    const words = ['sh', '-c', 'mosrun -r node2 sh -c "$0" & wait $!', script];
    const running = testbed.start(1, words, { cwd: workplace.empty(), timeout: 25 });
    const pid = await pidOf(testbed, `-c ${script}`);
    const guest = await until(() => guestProcess(testbed, 2, pid), 5, 'the guest');
    const worked = () => times(guest)?.user ?? 0;
    for (let round = 0; round < 2; round++) {
      await testbed.kill(1, pid, 'STOP');
      // mosd sees it at its next look, a second later at most where the machine is not busy.
      const stands = async () => {
        const at = worked();
        await sleep(0.3);
        return worked() === at;
      };
      await until(stands, 8, 'it to stand still');
      const before = worked();
      await sleep(0.5);
      assert.equal(worked(), before, 'it stands still');
      await testbed.kill(1, pid, 'CONT');
      await until(() => worked() > before + 0.05, 1, 'it to go on');
    }
    await testbed.kill(1, pid);
    assert.equal((await running.within(5))?.status, 7);
  });

  void test('a debugger on a process that is away brings it home, and then sees the program itself', {
    skip: spawnSync('strace', ['-V']).error ? 'strace not installed' : false,
    timeout: 60_000,
  }, async () => {
    const script = 'import os, time\nfor n in range(1200): os.stat("/etc/passwd"); time.sleep(0.01)\nprint("done")';
    const running = testbed.start(1, ['mosrun', 'python3', '-c', script], { cwd: workplace.empty(), timeout: 50 });
    const pid = await pidOf(testbed, 'os.stat');
    await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
    const strace = testbed.start(1, ['strace', '-p', `${pid}`, '-e', 'trace=%file,%network']);
    const seen = async () => (await listed(testbed)).find((each) => each.pid === pid);
    await until(async () => (await seen())?.where === 'node1' && (await seen())?.state === 'running', 10, 'it to come home');
    const before = strace.stderr.length;
    await until(() => /stat.*\/etc\/passwd/.test(strace.stderr.slice(before)), 5, 'its own calls');
    assert.doesNotMatch(strace.stderr.slice(before + 200), /recvfrom|sendmsg/, 'and none of the deputy');
    const { stderr } = await testbed.run(1, ['migrate', String(pid), 'node2', '--wait']);
    assert.match(stderr, /is being traced by process \d+/);
    await testbed.run(1, ['sh', '-c', 'kill -INT $(pidof strace)']);
    await strace.done;
    await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
    const { status, stdout } = await running.done;
    assert.deepEqual([status, stdout], [0, 'done\n']);
  });

  void test('a first thread that ends while its process is away', { timeout: 120_000 }, async () => {
    firstThread.make?.();
    const command = [...firstThread.command, 'end'];
    const end = path.join(workplace.empty(), 'end');
    writeFileSync(end, '');
    const plain = workplace.trace(await testbed.run(1, command, { cwd: workplace.directory, timeout: 40 }));
    assert.equal(plain.status, 57, plain.stdout);

    const running = testbed.start(1, ['mosrun', ...command], { cwd: workplace.empty(), timeout: 100 });
    const pid = await pidOf(testbed, 'first-thread');
    const move = (to: string) => testbed.json(1, 'migrate', String(pid), to, '--wait', '--json');
    const stateOf = (found: number | undefined) => /^State:\t(.)/m.exec(tryRead(`/proc/${found}/status`))?.[1];
    const home = homeProcess(testbed, 1, pid);
    await move('node2');
    assert.notEqual(stateOf(home), 'Z', 'the first thread lives');
    writeFileSync(end, '');
    await until(() => stateOf(home) === 'Z' && stateOf(guestProcess(testbed, 2, pid)) === 'Z', 10, 'its end on both sides');
    const seen = (await listed(testbed)).find((each) => each.pid === pid);
    assert.deepEqual([seen?.where, seen?.state, seen?.command], ['node2', 'away', command.join(' ')]);
    await move('home');
    assert.equal(stateOf(home), 'Z');
    assert.match(tryRead(`/proc/${home}/task/${home}/status`), /^Threads:\t([3-9]|\d\d)/m);
    await until(() => guestProcess(testbed, 2, pid) === undefined, 5, 'the guest to be gone');

    const storm = new Storm(testbed, pid, { away: [0.05, 0.3], home: [0, 0.1], seed: 5 });
    const moved = workplace.trace(await running.done);
    await storm.end(30);
    const own = storm.moves.filter((each) => each.pid === pid).length;
    note(`${storm.moves.length} moves, ${own} of the process itself`);
    assert.deepEqual(storm.trouble, [], 'no move fails');
    assert.deepEqual(moved, plain, 'output, exit status and files are those of a plain run');
    assert.ok(own >= 5, `only ${own} moves`);
  });

  // Begun anew at home they would last a second longer, at least.
  void test('waits that are brought out and home in their middle, and stay, end in time', { timeout: 60_000 }, async () => {
    waits.make?.();
    const seconds = 4;
    const command = [...waits.command, `${seconds}`];
    const resultOf = (line: string) => line.replace(/ [\d.]+$/, '');
    const lines = (stdout: string) => stdout.trim().split('\n').sort();
    const plain = lines((await testbed.run(1, command)).stdout);
    for (const pauses of [[1], [0.4, 0.3]]) {
      const running = testbed.start(1, ['mosrun', ...command], { timeout: 30 });
      const pid = await pidOf(testbed, command.join(' '));
      await sleep(0.5);
      const began = performance.now();
      for (const pause of pauses) {
        if (performance.now() - began > 1200) break; // a busy machine: one round will do
        await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
        await sleep(pause);
        await testbed.json(1, 'migrate', String(pid), 'home', '--wait', '--json');
      }
      const moved = lines((await running.done).stdout);
      note(moved.join(', '));
      assert.deepEqual(moved.map(resultOf), plain.map(resultOf));
      for (const line of moved) {
        const took = Number(/[\d.]+$/.exec(line)?.[0]);
        assert.ok(took > seconds - 0.05 && took < seconds + 0.8, line);
      }
    }
  });

  void test('a terminal: ^Z stops, fg continues, ^C ends a program that is away', { timeout: 60_000 }, async () => {
    const script = path.join(repository, 'test/programs/behaviour/terminal.py');
    const { status, stdout, stderr } = await testbed.run(1, ['python3', script], { cwd: workplace.empty() });
    assert.deepEqual([status, stdout, stderr], [0, 'ok\n', '']);
  });
});
