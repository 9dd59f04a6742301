/** The smaller commands, with programs that really move. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallsDocument } from '../../lib/shared/documents.js';
import { listed } from './storm.js';
import { Testbed, until, whyNoTestbed } from './testbed.js';

interface Times {
  processes: {
    cpu_seconds: number;
    complete: boolean;
    nodes: { node: string; home: boolean; cpu_seconds: number; complete: boolean }[];
  }[];
}

describe('tools', { skip: whyNoTestbed() ?? false, timeout: 120_000 }, () => {
  let testbed: Testbed;

  before(async () => {
    testbed = await Testbed.up(2);
  });
  after(async () => {
    await testbed?.down();
  });

  const expect = async (...command: string[]): Promise<string> => {
    const { status, stdout, stderr } = await testbed.run(1, command);
    assert.equal(status, 0, `${command.join(' ')}: ${stderr}`);
    return stdout;
  };
  /** The process with this command line, once it is there. */
  const processOf = async (command: string): Promise<number> => {
    const found = async () => (await listed(testbed)).find((one) => one.command === command);
    return (await until(found, 10, `"${command}" in mosps`)).pid;
  };

  void test('mostimeof adds up what a load used at home and away, which is what the load itself counted', async () => {
    const load = testbed.start(1, ['mosrun', 'mostestload', '--cpu', '8', '--memory', '4M', '--progress']);
    const pid = await processOf('mostestload --cpu 8 --memory 4M --progress');
    const times = async () => (await testbed.json<Times>(1, 'mostimeof', `${pid}`, '--json')).processes[0];
    const away = (one: Times['processes'][0] | undefined) => one?.nodes.find(({ home }) => !home)?.cpu_seconds ?? 0;
    await expect('migrate', `${pid}`, 'node2', '--wait');
    const first = await until(
      async () => {
        const now = await times();
        return away(now) >= 1 ? now : null;
      },
      60,
      'a second of CPU time away',
    );
    assert.equal(first.complete, true);
    await expect('migrate', `${pid}`, 'home', '--wait');
    const back = await times();
    assert.ok(away(back) >= away(first), 'the stay has ended, its time is kept');
    await expect('migrate', `${pid}`, 'node2', '--wait');
    const last = await until(
      async () => {
        const now = await times();
        return away(now) > away(back) + 0.3 ? now : null;
      },
      20,
      'the second stay to add to the first',
    );
    const counted = Number(load.stdout.trim().split('\n').at(-1));
    assert.ok(Math.abs(last.cpu_seconds - counted) < 1.5, `${last.cpu_seconds} s, of which the load knew ${counted} s`);
    assert.match(await expect('mostimeof', `${pid}`), /node1 \(home\) +[\d.]+ s\nnode2 +[\d.]+ s\nall nodes +[\d.]+ s\n$/);
    const { status, stdout } = await load.done;
    assert.equal(status, 0);
    const [, used = ''] = /used ([\d.]+) s of CPU time/.exec(stdout) ?? [];
    assert.ok(Number(used) >= 8 && Number(used) < 8.3, stdout);
  });

  void test('hundreds of programs are started at once, and moved by one order', async () => {
    const many = 300;
    const command = `for i in $(seq ${many}); do mosrun -h -J many sleep 600 || echo failed & done; wait`;
    const all = testbed.start(1, ['bash', '-c', command], { timeout: 110 });
    const there = async () => (await listed(testbed)).filter((one) => one.job === 'many' && one.command === 'sleep 600');
    await until(async () => (await there()).length === many, 60, `${many} programs`).catch(async (error: Error) => {
      throw new Error(`${error.message}, not ${(await there()).length}: ${all.stdout}${all.stderr}`);
    });
    const { status, stdout, stderr } = await testbed.run(1, ['migrate', '-J', 'many', 'node2', '--wait', '--json'], {
      timeout: 60,
    });
    assert.equal(status, 0, stderr.slice(0, 1000));
    assert.equal((JSON.parse(stdout) as { migrations: object[] }).migrations.length, many);
    assert.ok((await there()).every(({ where }) => where === 'node2'));
    await expect('moskillall', '-KILL', '-J', 'many');
    await all.done;
    assert.equal(all.stdout, 'failed\n'.repeat(many), 'each ended by that signal, and none before');
  });

  void test('one that finds as many of its user being started as there may be waits for its turn', async () => {
    const fill = `
const { connect } = require('node:net');
let open = 0;
for (let i = 0; i < 128; i++) connect('/run/mosrun/launch.sock', () => ++open === 128 && console.log('full')).on('error', () => {});
setTimeout(() => process.exit(), 1500);`;
    const filling = testbed.start(1, [process.execPath, '-e', fill]);
    await filling.says('full');
    const { status, stdout, stderr, seconds } = await testbed.run(1, ['mosrun', '-h', 'echo', 'its turn']);
    assert.deepEqual([status, stdout, stderr], [0, 'its turn\n', '']);
    assert.ok(seconds > 0.3, `after ${seconds} s: it did not have to wait`);
    await filling.done;
  });

  void test('mosps --calls tells where the time of a program that is away goes', async () => {
    const program = `
import os, signal, sys, time
print('ready', flush=True)
sys.stdin.readline()
for i in range(1000): os.getppid()
for i in range(1000): signal.pthread_sigmask(signal.SIG_BLOCK, [])
began = time.monotonic()
time.sleep(0.5)
os.stat('/')
print('done', flush=True)
sys.stdin.readline()`;
    const running = testbed.start(1, ['mosrun', '-L', 'python3', '-c', program], { talks: true });
    await running.says('ready');
    const pid = (await listed(testbed)).find((one) => one.command.startsWith('python3 -c'))?.pid;
    assert.ok(pid);
    assert.match(await expect('mosps', '--calls', `${pid}`), /is at home, where its calls are its own/);
    await expect('migrate', `${pid}`, 'node2', '--wait');
    const calls = () => testbed.json<CallsDocument>(1, 'mosps', '--calls', `${pid}`, '--json');
    const before = await calls();
    const at = performance.now();
    running.child.stdin?.write('go\n');
    await running.says('done');
    const seconds = (performance.now() - at) / 1000;
    // What the last call took is told with the next, and the program waits for its input.
    const after = await calls();
    const of = (name: string) => after.calls.find(({ call }) => call === name);
    const parents = of('getppid');
    assert.equal(parents?.times, 1000);
    assert.ok(parents.seconds > parents.home_seconds && parents.home_seconds > 0, JSON.stringify(parents));
    assert.ok(parents.bytes >= 1000 * 100 && parents.bytes < 1000 * 200, `${parents.bytes} bytes`);
    const waited = after.calls.filter(({ call }) => call !== 'read').reduce((sum, one) => sum + one.seconds, 0);
    assert.ok(waited > 0 && waited < seconds + 1, `${waited} of ${seconds} s`);
    assert.ok(
      after.answered.seconds < seconds - 0.4,
      `it slept for half a second, which is no time of a call's: ${after.answered.seconds} s`,
    );
    assert.ok(after.answered.times >= before.answered.times + 1000);
    assert.match(await expect('mosps', '--calls', `${pid}`), /^CALL +TIMES +BYTES +WAITED[^]*\ngetppid +1000 /);
    running.child.stdin?.end('end\n');
    assert.equal((await running.done).status, 0);
    assert.match((await testbed.run(1, ['mosps', '--calls', '4194304'])).stderr, /was not started by mosrun on this node/);
  });

  void test('a child by mosnative leaves the job, and cannot migrate', async () => {
    const family = testbed.start(1, ['mosrun', 'sh', '-c', 'mosnative sleep 777 & sleep 778 & wait']);
    const other = await processOf('sleep 778');
    const look = 'for p in /proc/[0-9]*; do [ "$(tr "\\0" " " < $p/cmdline)" = "sleep 777 " ] && echo ${p#/proc/}; done; true';
    const native = await until(async () => (await expect('sh', '-c', look)).trim(), 10, 'the native child');
    assert.ok(!(await listed(testbed)).some((one) => one.command === 'sleep 777'));
    const group = (pid: string | number) => expect('cat', `/proc/${pid}/cgroup`);
    assert.match(await group(other), /mosrun-job-/);
    assert.doesNotMatch(await group(native), /mosrun-job-/);
    const refused = await testbed.run(1, ['migrate', native, 'node2', '--wait']);
    assert.deepEqual([refused.status, refused.stdout], [1, '']);
    assert.match(refused.stderr, /was not started by mosrun/);
    await testbed.kill(1, Number(native));
    await testbed.kill(1, other);
    assert.equal((await family.done).status, 0);
  });

  void test('mosnative from a program that is away: it comes home for it', async () => {
    const script = 'while [ ! -e /tmp/mosrun-test-go ]; do :; done; mosnative sh -c "hostname; cat /proc/self/cgroup"; echo $?';
    await testbed.run(1, ['rm', '-f', '/tmp/mosrun-test-go']);
    const program = testbed.start(1, ['mosrun', 'sh', '-c', script]);
    const pid = await processOf(`sh -c ${script}`);
    await expect('migrate', `${pid}`, 'node2', '--wait');
    await expect('touch', '/tmp/mosrun-test-go');
    const { stdout } = await program.done;
    await testbed.run(1, ['rm', '-f', '/tmp/mosrun-test-go']);
    assert.match(stdout, /^node1\n/);
    assert.match(stdout, /\n0\n$/);
    assert.doesNotMatch(stdout, /mosrun-job-/);
  });

  void test('a program that sleeps moves again and again', async () => {
    const program = testbed.start(1, ['mosrun', 'sleep', '900']);
    const pid = await processOf('sleep 900');
    for (const to of ['node2', 'home', 'node2', 'home', 'node2']) await expect('migrate', `${pid}`, to, '--wait');
    await testbed.kill(1, pid);
    assert.equal((await program.done).signal, 'SIGTERM');
  });

  void test('mosenv gives a program variables, on any node', async () => {
    assert.equal(
      await expect('mosenv', '-r', 'node2', 'LD_LIBRARY_PATH=/opt/grün', 'B=', 'sh', '-c', 'echo $LD_LIBRARY_PATH-$B-'),
      '/opt/gr\xc3\xbcn--\n',
    );
    assert.equal((await testbed.run(1, ['mosenv', 'A=1'])).status, 125);
  });

  void test('moskillall signals all processes of a job, wherever they are', async () => {
    const job = testbed.start(1, ['mosrun', '-J', 'bundle', 'sh', '-c', 'sleep 801 & sleep 802 & wait']);
    const away = await processOf('sleep 801');
    await processOf('sleep 802');
    const stays = testbed.start(1, ['mosrun', '-J', 'other', 'sleep', '803']);
    await processOf('sleep 803');
    await expect('migrate', `${away}`, 'node2', '--wait');
    const foreign = await testbed.run(1, ['moskillall', '-9', '-J', 'bundle'], { user: 'nobody' });
    assert.equal(foreign.status, 77, foreign.stderr);
    const { sent } = JSON.parse(await expect('moskillall', '-KILL', '-J', 'bundle', '--json')) as { sent: number[] };
    assert.equal(sent.length, 3);
    assert.equal((await job.done).signal, 'SIGKILL');
    await until(async () => !(await listed(testbed)).some((one) => one.job === 'bundle'), 10, 'its end');
    assert.ok((await listed(testbed)).some((one) => one.command === 'sleep 803'));
    await expect('moskillall', '-s', 'hup');
    assert.equal((await stays.done).signal, 'SIGHUP');
    assert.equal((await testbed.run(1, ['moskillall', '-J', 'bundle'])).status, 1);
    for (const words of [['-s', 'NONSENSE'], ['-NONSENSE']]) {
      const wrong = await testbed.run(1, ['moskillall', ...words]);
      assert.deepEqual([wrong.status, wrong.stderr], [2, 'mosrun: "NONSENSE" is no signal: see kill -l\n']);
    }
  });
});
