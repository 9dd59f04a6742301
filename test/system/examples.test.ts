/** The examples do what they say on real nodes, and real moves are told. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listed, pidOf } from './storm.js';
import { Testbed, repository, until, whyNoTestbed } from './testbed.js';

const example = (name: string): string => path.join(repository, 'examples', name);

interface Told {
  type: string;
  pid?: number;
  home_pid?: number;
  home?: string;
  from?: string;
  call?: string;
  session?: string;
}

describe('examples', { skip: whyNoTestbed() ?? false, timeout: 120_000 }, () => {
  let testbed: Testbed;
  before(async () => {
    testbed = await Testbed.up(3);
  });
  after(async () => {
    await testbed?.down();
  });

  void test('run-and-move: a program runs, goes and comes back', async () => {
    const words = [
      'node',
      example('run-and-move.mjs'),
      'node2',
      'sh',
      '-c',
      'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo $i; exit 3',
    ];
    const { status, stdout, stderr } = await testbed.run(1, words);
    assert.deepEqual([status, stdout], [0, '300000\n'], stderr);
    assert.match(
      stderr,
      /^process \d+ went from node1 to node2, frozen for [\d.]+ ms\nprocess \d+ went from node2 to node1, .*\nit ended with 3\n$/,
    );
    const refused = await testbed.run(1, ['node', example('run-and-move.mjs'), 'node9', 'sleep', '1']);
    assert.match(refused.stderr, /^it was not moved \(unknown-node\): .*\nit ended with 0\n$/);
  });

  void test('watch: says what happens until it is interrupted', async () => {
    const watching = testbed.start(1, ['node', example('watch.mjs')]);
    // It connects when it connects: until then, there is always something new to tell.
    await until(
      async () => {
        await testbed.run(1, ['mosrun', '-r', 'node2', 'true']);
        return /migration-finished/.test(watching.stdout) && /process-ended/.test(watching.stdout);
      },
      20,
      'what happened to be told',
    );
    watching.kill('SIGINT');
    const { status, stdout, stderr } = await watching.done;
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(
      stdout,
      /^\d{4}-.*Z node1 migration-finished \{"pid":\d+,"uid":0,"from":"node1","to":"node2","reason":"start",/m,
    );
  });

  void test('drain: whatever runs on a node goes elsewhere, from whichever home', async () => {
    const made = await testbed.run(1, ['mosconf', 'tool', 'drainer', '--operate']);
    assert.equal(made.status, 0, made.stderr);
    const far = testbed.start(1, ['mosrun', '-r', 'node2', 'sh', '-c', 'while :; do :; done']);
    const near = testbed.start(2, ['mosrun', 'node', '-e', 'setTimeout(() => {}, 1002000)']);
    const farPid = await pidOf(testbed, 'sh -c while :; do :; done');
    await until(
      async () => (await listed(testbed)).some((one) => one.pid === farPid && one.state === 'away'),
      20,
      'the program to be away',
    );
    try {
      const nearPid = await until(
        async () => (await listed(testbed, 2)).find((one) => one.command.includes('1002000'))?.pid,
        20,
        'the program of node2',
      );
      const { status, stdout, stderr } = await testbed.run(1, [
        'node',
        example('drain.mjs'),
        'node2',
        '/etc/mosrun/tools/drainer',
      ]);
      assert.equal(status, 0, `${stdout}${stderr}`);
      assert.match(stdout, new RegExp(`^sh -c .* \\(process ${farPid} of node1\\) is on node[13] now$`, 'm'));
      assert.match(stdout, new RegExp(`^node -e .* \\(process ${nearPid} of node2\\) is on node[13] now$`, 'm'));
      const now = (await listed(testbed)).find((one) => one.pid === farPid);
      assert.notEqual(now?.where, 'node2');
    } finally {
      far.kill();
      near.kill();
    }
  });

  void test('what real moves tell, at home and where the guest was, and what the metrics make of it', async () => {
    const watching = [1, 2].map((node) => testbed.start(node, ['mosctl', 'events', '--json']));
    const told = (index: number): Told[] =>
      (watching[index]?.stdout ?? '').split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Told]));
    await until(
      async () => {
        await testbed.run(1, ['mosrun', '-r', 'node2', 'true']);
        return told(0).length > 0 && told(1).length > 0;
      },
      20,
      'both streams to be there',
    );
    // io_uring_setup(2) is served at home only.
    const script = 'import ctypes,time\nc=ctypes.CDLL(None)\nwhile True:\n c.syscall(425,1,0)\n time.sleep(.05)';
    const program = testbed.start(1, ['mosrun', 'python3', '-c', script]);
    const pid = await pidOf(testbed, 'import ctypes,time');
    assert.equal((await testbed.run(1, ['migrate', `${pid}`, 'node2', '--wait'])).status, 0);
    const home = await until(
      () => told(0).find((event) => event.type === 'came-home' && event.pid === pid),
      20,
      'its coming home to be told',
    );
    assert.deepEqual([home.from, home.call], ['node2', 'io_uring_setup']);
    const guest = await until(
      () => told(1).find((event) => event.type === 'guest-left' && event.home_pid === pid),
      20,
      'the guest to be gone',
    );
    const arrived = told(1).find((event) => event.type === 'guest-arrived' && event.session === guest.session);
    assert.deepEqual([arrived?.home, arrived?.home_pid], ['node1', pid]);
    program.kill();
    const port = 'require("node:http").get({socketPath:"/run/mosrun/mosd.sock",path:"/metrics"},(a)=>a.pipe(process.stdout))';
    const { stdout } = await testbed.run(1, ['node', '-e', port]);
    assert.match(stdout, /^mosrun_come_homes_total\{call="io_uring_setup"\} 1$/m);
    assert.match(stdout, /^mosrun_migration_freeze_seconds_count [1-9]/m);
    assert.match(stdout, /^mosrun_migration_sent_bytes_total [1-9]/m);
    for (const each of watching) each.kill();
  });

  void test('spread: a list is worked off on all nodes, and a failure is reported', async () => {
    const lines = Array.from({ length: 8 }, (_none, index) => `i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo ${index}`);
    const done = await testbed.run(1, ['node', example('spread.mjs')], { input: `${lines.join('\n')}\n` });
    assert.equal(done.status, 0, done.stderr);
    assert.deepEqual(done.stdout.trim().split('\n').sort(), ['0', '1', '2', '3', '4', '5', '6', '7']);
    assert.deepEqual(new Set([...done.stderr.matchAll(/^(node\d): /gm)].map((match) => match[1])).size, 3);
    assert.equal((await testbed.run(1, ['node', example('spread.mjs')], { input: 'true\nfalse\n' })).status, 1);
  });
});
