/** What people get wrong is answered with a clear message and the documented exit code. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listed, pidOf } from './storm.js';
import { type RunOptions, type Running, Testbed, whyNoTestbed } from './testbed.js';

describe('mistakes and refusals', { skip: whyNoTestbed() ?? false }, () => {
  let testbed: Testbed;
  let sleeper: Running;
  let pid: number;

  before(async () => {
    testbed = await Testbed.up(2);
    sleeper = testbed.start(1, ['mosrun', 'sleep', '1000']);
    pid = await pidOf(testbed, 'sleep 1000');
  });
  after(async () => {
    sleeper?.kill('SIGKILL');
    await testbed?.down();
  });

  async function fails(command: string[], status: number, message: RegExp, options: RunOptions = {}): Promise<void> {
    const outcome = await testbed.run(1, command, options);
    assert.deepEqual([outcome.status, outcome.stdout], [status, ''], `${command.join(' ')}: ${outcome.stderr}`);
    assert.match(outcome.stderr, message);
    assert.doesNotMatch(outcome.stderr, /\n\s+at .*:\d+:\d+/, 'no stack trace');
  }

  void test('wrong options and missing arguments', async () => {
    await fails(['mosrun', '--no-such-option', 'true'], 125, /mosrun: .*no-such-option/);
    await fails(['mosrun'], 125, /mosrun: /);
    await fails(['migrate'], 2, /mosrun: /);
    await fails(['migrate', 'abc', 'node2'], 2, /abc/);
    await fails(['migrate', String(pid), 'node2', '--frobnicate'], 2, /frobnicate/);
    await fails(['mosps', '--frobnicate'], 2, /frobnicate/);
    await fails(['mosctl', 'frobnicate'], 2, /frobnicate/);
  });

  void test('programs that cannot be executed: 126 and 127, as env does', async () => {
    await fails(['mosrun', '/etc/passwd'], 126, /\/etc\/passwd/);
    await fails(['mosrun', 'no-such-program'], 127, /no-such-program/);
  });

  void test('the program keeps its own options, exit status and death by signal', async () => {
    assert.equal((await testbed.run(1, ['mosrun', 'sh', '-c', 'exit 77'])).status, 77);
    assert.equal((await testbed.run(1, ['mosrun', 'sh', '-c', 'kill -SEGV $$'])).signal, 'SIGSEGV');
    assert.equal((await testbed.run(1, ['mosrun', 'echo', '--help', '-r', 'node9'])).stdout, '--help -r node9\n');
  });

  void test('unknown nodes and processes', async () => {
    await fails(['migrate', String(pid), 'node9', '--wait'], 1, /node9/);
    await fails(['mosrun', '-r', 'node9', 'true'], 125, /node9/);
    await fails(['migrate', '999999', 'node2', '--wait'], 1, /999999/);
    await fails(['migrate', '1', 'node2', '--wait'], 1, /\b1\b/);
  });

  void test('a program starts on another node, and there is no difference', async () => {
    const outcome = await testbed.run(1, ['mosrun', '-r', 'node2', 'sh', '-c', 'hostname; exit 5']);
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [5, 'node1\n', '']);
  });

  void test('a process of another user: 77', async () => {
    await fails(['migrate', String(pid), 'node2', '--wait'], 77, new RegExp(`${pid}`), { user: 'nobody' });
    const own = testbed.start(1, ['mosrun', 'sleep', '1001'], { user: 'nobody' });
    const ownPid = await pidOf(testbed, 'sleep 1001');
    await fails(['migrate', String(ownPid), 'node2', '--wait'], 77, new RegExp(`${ownPid}`), { user: 'daemon' });
    assert.equal((await listed(testbed)).find((each) => each.pid === ownPid)?.user, 'nobody');
    const moved = await testbed.run(1, ['migrate', String(ownPid), 'node2', '--wait'], { user: 'nobody' });
    assert.equal(moved.status, 0, moved.stderr);
    await testbed.kill(1, ownPid);
    const { signal, status, stderr } = await own.done;
    assert.deepEqual([signal, status, stderr], ['SIGTERM', null, '']);
  });

  void test('a wrong configuration: the file, the line and the key are named', async () => {
    const { directory } = testbed.node(2);
    const file = path.join(directory, 'etc/mosrun.toml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `${text}\n[heartbeat]\nintervall_seconds = 3\n`);
    try {
      const outcome = await testbed.run(2, ['mosd']);
      assert.notEqual(outcome.status, 0);
      assert.match(outcome.stderr, /mosrun\.toml:\d+: heartbeat\.intervall_seconds/);
      const checked = await testbed.run(2, ['mosconf', 'check']);
      assert.equal(checked.status, 1);
      assert.match(checked.stderr, /mosrun\.toml:\d+/);
    } finally {
      writeFileSync(file, text);
    }
    assert.equal((await testbed.run(2, ['mosctl', 'status'])).status, 0, 'the running daemon has kept what it had');
  });

  void test('no daemon: 69, and mosrun itself 125', async () => {
    await testbed.control('kill-daemon', '1');
    try {
      await fails(['mosps'], 69, /mosd/);
      await fails(['migrate', String(pid), 'node2', '--wait'], 69, /mosd/);
      await fails(['mosctl', 'nodes'], 69, /mosd/);
      await fails(['mosrun', 'true'], 125, /mosd/);
    } finally {
      await testbed.control('start-daemon', '1');
    }
  });
});
