/** Calls that are never served away: what a program may have instead of coming home for them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compiled, whySkipped } from './programs.js';
import { type Listed, listed, pidOf } from './storm.js';
import { type Running, Testbed, until, whyNoTestbed } from './testbed.js';

/** Makes the call (io_uring_setup, 425) each time a file appears, and prints its result and errno. */
const program = `
import ctypes, os, sys, time
call = ctypes.CDLL(None, use_errno=True).syscall
for turn in range(2):
    while not os.path.exists(sys.argv[1] + str(turn)): time.sleep(0.05)
    ctypes.set_errno(0)
    print(call(425, 0, None), ctypes.get_errno(), flush=True)
print('end')
`;
const ENOSYS = 38;
const mapsReader = compiled('maps-reader');

describe('calls that cannot be served away', { skip: whyNoTestbed() ?? false, timeout: 120_000 }, () => {
  let testbed: Testbed;
  const directory = mkdtempSync('/tmp/mosrun-test-');

  before(async () => {
    testbed = await Testbed.up(2);
  });
  after(async () => {
    rmSync(directory, { recursive: true });
    await testbed?.down();
  });

  interface Away {
    running: Running;
    go: (turn: number) => void;
    look: () => Promise<(Listed & { refused: Record<string, number>; unserved: string }) | undefined>;
  }
  /** Starts the program, away. */
  async function start(job: string, ...command: string[]): Promise<Away> {
    const file = path.join(directory, job);
    const running = testbed.start(1, ['mosrun', '-J', job, ...command, 'python3', '-c', program, file]);
    const look = async () => (await listed(testbed)).find((one) => one.job === job && one.command.startsWith('python3'));
    const { pid } = await until(look, 10, `${job} in mosps`);
    const { status, stderr } = await testbed.run(1, ['migrate', `${pid}`, 'node2', '--wait']);
    assert.equal(status, 0, stderr);
    return { running, go: (turn) => writeFileSync(file + turn, ''), look: look as Away['look'] };
  }

  void test('without an option the program comes home for it', async () => {
    const { running, go, look } = await start('home');
    go(0);
    await until(async () => (await look())?.where === 'node1', 10, 'the program to come home');
    go(1);
    const { status, stdout, stderr } = await running.done;
    assert.deepEqual([status, stderr], [0, '']);
    // What the kernel itself says: the address is wrong, if it has the call at all.
    assert.doesNotMatch(stdout, /^0 /);
  });

  void test('its list of mappings is served away, while other threads change it', {
    skip: whySkipped(mapsReader) ?? false,
  }, async () => {
    mapsReader.make?.();
    const running = testbed.start(1, ['mosrun', '-w', ...mapsReader.command], { timeout: 60 });
    await running.says('ready');
    const pid = await pidOf(testbed, mapsReader.command.join(' '));
    const { status: moved, stderr: why } = await testbed.run(1, ['migrate', `${pid}`, 'node2', '--wait']);
    assert.equal(moved, 0, why);
    await testbed.run(1, ['kill', '-USR1', `${pid}`]);
    const { status, stdout, stderr } = await running.done;
    assert.deepEqual([status, stdout, stderr], [0, 'ready\n0 failed\n', '']);
  });

  void test('-e: it fails with ENOSYS, and the program stays away', async () => {
    const { running, go, look } = await start('error', '-e');
    go(0);
    await running.says(`-1 ${ENOSYS}\n`);
    const { where, refused, unserved } = (await look()) ?? {};
    assert.deepEqual([where, refused, unserved], ['node2', { io_uring_setup: 1 }, 'error']);
    const { pid } = (await look()) ?? { pid: 0 };
    assert.match(
      (await testbed.run(1, ['mosps', '--explain', `${pid}`])).stdout,
      /\ncalls that failed away, .*: io_uring_setup 1 times\n/,
    );
    go(1);
    const { status, stdout, stderr } = await running.done;
    assert.deepEqual([status, stdout, stderr], [0, `-1 ${ENOSYS}\n-1 ${ENOSYS}\nend\n`, '']);
  });

  void test('-w: the first time a line on standard error says so', async () => {
    // By a mosrun within a mosrun, which keeps the option.
    const { running, go } = await start('warn', '-w', 'mosrun');
    go(0);
    await running.says(`-1 ${ENOSYS}\n`);
    go(1);
    const { status, stdout, stderr } = await running.done;
    assert.deepEqual([status, stdout], [0, `-1 ${ENOSYS}\n-1 ${ENOSYS}\nend\n`]);
    assert.match(stderr, /^mosrun: process \d+: io_uring_setup cannot be served away from home: it fails \(-w\)\n$/);
  });

  void test('-u: it ends the program by SIGSYS, which says so', async () => {
    const { running, go } = await start('end', '-u');
    go(0);
    const { signal, stdout, stderr } = await running.done;
    assert.deepEqual([signal, stdout], ['SIGSYS', '']);
    assert.match(stderr, /^mosrun: process \d+: io_uring_setup cannot be served away from home: the program ends \(-u\)\n$/);
  });

  void test('what home is needed for at the moment is no such call', async () => {
    // A process that shares memory with its child is at home while both have it.
    const script =
      'import mmap, os, time\nm = mmap.mmap(-1, 4096)\ntime.sleep(2)\npid = os.fork()\nif not pid:\n  m[0] = 7\n  os._exit(0)\nos.waitpid(pid, 0)\nprint(m[0])';
    const running = testbed.start(1, ['mosrun', '-u', '-r', 'node2', 'python3', '-c', script]);
    const { status, stdout, stderr } = await running.done;
    assert.deepEqual([status, stdout, stderr], [0, '7\n', '']);
  });
});
