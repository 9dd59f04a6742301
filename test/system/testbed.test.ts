/** The testbed itself: other tests are worth what it is worth. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { repository, Testbed, until, sleep, whyNoTestbed } from './testbed.js';

const noTestbed = whyNoTestbed();
const server = 'require("net").createServer(s => s.pipe(s)).listen(5000, "0.0.0.0", () => console.log("listening"))';
const client = `const s = require("net").connect(5000, "10.77.0.2", () => { s.setNoDelay(); at = process.hrtime.bigint(); s.write("x") });
  let at, n = 0; s.on("data", () => { if (++n === 50) { console.log(Number(process.hrtime.bigint() - at) / 50e6); process.exit(0) } s.write("x") });
  s.on("error", (e) => { console.log(e.code); process.exit(3) }); setTimeout(() => { console.log("silence"); process.exit(4) }, 2000)`;

const testbedScript = (...words: string[]) => spawnSync(`${repository}/scripts/testbed`, words, { encoding: 'utf8' });

describe('the testbed', { skip: noTestbed ?? false }, () => {
  let testbed: Testbed;

  before(async () => {
    testbed = await Testbed.up(2, '--no-daemons');
  });
  after(async () => {
    await testbed?.down();
  });

  const node = (number: number, text: string, input?: string) =>
    testbed.run(number, ['node', '-e', text], input === undefined ? {} : { input });

  void test('each node has its own name, address, processes and run-time files', async () => {
    assert.equal(
      (await node(2, 'console.log(os.hostname(), os.networkInterfaces().eth0[0].address)')).stdout,
      'node2 10.77.0.2\n',
    );
    await node(1, 'fs.writeFileSync("/run/mosrun/mine", "")');
    assert.equal((await node(2, 'console.log(fs.readdirSync("/run/mosrun").length)')).stdout, '0\n');
    assert.equal(existsSync('/run/mosrun/mine'), false, 'nor does the machine see it');
    const names = (await node(2, 'console.log(fs.readdirSync("/proc").filter(Number).length)')).stdout;
    assert.ok(Number(names) <= 2, `node2 sees ${names.trim()} processes`);
  });

  void test('node 2 has nothing of what the programs under test need', async () => {
    for (const command of ['python3', 'sh', 'gzip', 'perl', 'gcc', 'ls'])
      assert.equal((await testbed.run(2, [command])).status, 127, command);
    const list =
      'const w = d => fs.readdirSync(d || "/", { withFileTypes: true }).forEach(e => { const p = d + "/" + e.name; /^\\/(proc|sys|dev)$/.test(p) || (e.isDirectory() ? w(p) : console.log(p)) }); w("")';
    const files = (await node(2, list)).stdout.trim().split('\n');
    const own = files.filter((file) => !file.startsWith(`${repository}/dist/`));
    assert.ok(own.length < 25, own.join('\n'));
    assert.deepEqual(
      own.filter((file) => /python|perl|\.py|sqlite|libz|share/.test(file)),
      [],
    );
  });

  void test('run passes input, working directory, user, exit status and signals', async () => {
    assert.equal((await testbed.run(1, ['cat'], { input: 'through' })).stdout, 'through');
    assert.equal((await testbed.run(1, ['pwd'], { cwd: '/usr/lib' })).stdout, '/usr/lib\n');
    assert.equal((await testbed.run(1, ['id', '-un'], { user: 'nobody' })).stdout, 'nobody\n');
    assert.equal((await testbed.run(1, ['sh', '-c', 'exit 7'])).status, 7);
    assert.equal((await testbed.run(1, ['sh', '-c', 'kill -QUIT $$'])).signal, 'SIGQUIT');
    const running = testbed.start(1, ['sh', '-c', 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done']);
    await running.says('ready');
    running.kill('SIGTERM');
    assert.equal((await running.done).status, 5);
  });

  void test('run gives the terminal to the command: stop and continue work as in a shell', {
    skip: existsSync('/usr/bin/script') ? false : 'script(1) not installed',
  }, async () => {
    const inside = `${repository}/scripts/testbed run 1 --name ${testbed.name} -- sh -c 'test -t 0 && test -t 1 && stty size >/dev/null && echo terminal'`;
    const { stdout } = spawnSync('script', ['-qec', inside, '/dev/null'], { encoding: 'utf8' });
    assert.match(stdout, /terminal/);
  });

  void test('process 1 of a node reaps orphans', async () => {
    await testbed.run(1, ['sh', '-c', '(sleep 0.1 &) ; exit 0']);
    await sleep(0.3);
    const zombies =
      'fs.readdirSync("/proc").filter(Number).filter(p => { try { return / Z /.test(fs.readFileSync(`/proc/${p}/stat`, "utf8")) } catch { return false } }).length';
    assert.equal((await node(1, `console.log(${zombies})`)).stdout, '0\n');
  });

  const stateOf = async (number: number): Promise<string | undefined> => {
    const { nodes } = JSON.parse((await testbed.control('status', '--json')).stdout) as {
      nodes: { number: number; state: string }[];
    };
    return nodes.find((one) => one.number === number)?.state;
  };

  void test('cut is silent, heal repairs, crash ends all and boot starts again', { timeout: 60_000 }, async () => {
    let echo = testbed.start(2, ['node', '-e', server]);
    await echo.says('listening');
    assert.equal((await node(1, client)).status, 0);
    await testbed.control('cut', '2');
    assert.equal((await node(1, client)).stdout, 'silence\n');
    assert.equal(await stateOf(2), 'cut');
    await testbed.control('heal', '2');
    assert.equal((await node(1, client)).status, 0);
    await testbed.control('crash', '2');
    assert.equal((await echo.done).signal, 'SIGKILL');
    assert.equal(await stateOf(2), 'crashed');
    assert.notEqual((await node(2, '0')).status, 0);
    await testbed.control('boot', '2');
    echo = testbed.start(2, ['node', '-e', server]);
    await echo.says('listening');
    assert.equal((await node(1, client)).status, 0);
    echo.kill();
  });

  void test('limits hold, and delay adds to each way', { timeout: 60_000 }, async () => {
    const slow = await Testbed.up(2, '--no-daemons', '--delay', '5ms', '--rate', '100mbit', '--cpus', '0.5', '--memory', '200M');
    try {
      const echo = slow.start(2, ['node', '-e', server]);
      await echo.says('listening');
      await slow.run(1, ['node', '-e', client]);
      // The best of some, for the machine may be busy.
      let ms = Number.POSITIVE_INFINITY;
      for (let turn = 0; turn < 10 && ms >= 15; turn++)
        ms = Math.min(ms, Number((await slow.run(1, ['node', '-e', client])).stdout));
      assert.ok(ms >= 10 && ms < 15, `a round trip takes ${ms} ms`);
      const busy = 'const end = Date.now() + 1000; while (Date.now() < end); console.log(process.cpuUsage().user / 1e6)';
      const used = Number((await slow.run(1, ['node', '-e', busy])).stdout);
      assert.ok(used < 0.75, `half a processor gave ${used} s in one second`);
      const big = await slow.run(1, ['node', '-e', 'const b = []; for (;;) b.push(Buffer.alloc(1 << 24, 1))']);
      assert.equal(big.signal, 'SIGKILL', 'more memory than the node has');
    } finally {
      await slow.down();
    }
  });

  void test('two testbeds live side by side; down, also of a killed up, leaves nothing', { timeout: 60_000 }, async () => {
    const script = `${repository}/scripts/testbed`;
    const name = `${testbed.name}-k`;
    for (const [signal, after] of [
      ['SIGTERM', 0.2],
      ['SIGKILL', 0.3],
      ['SIGKILL', 0.6],
    ] as const) {
      const up = spawn(script, ['up', '3', '--no-daemons', '--name', name], { stdio: 'ignore' });
      await sleep(after);
      up.kill(signal);
      await until(() => up.exitCode !== null || up.signalCode !== null, 10, 'up to end');
      assert.equal(spawnSync(script, ['down', '--name', name]).status, 0);
      assert.equal(existsSync(`/run/mosrun-testbed/${name}`), false);
      assert.doesNotMatch(readFileSync('/proc/mounts', 'utf8'), new RegExp(name));
      const groups = readdirSync('/sys/fs/cgroup', { recursive: true, withFileTypes: true }).filter(
        (entry) => entry.name === `mosrun-testbed-${name}`,
      );
      assert.deepEqual(groups, []);
    }
    assert.equal((await testbed.run(1, ['true'])).status, 0, 'the other one is unharmed');
  });

  void test('down ends a run that stands still though its command went on', { timeout: 60_000 }, async () => {
    const script = `${repository}/scripts/testbed`;
    const name = `${testbed.name}-s`;
    assert.equal(spawnSync(script, ['up', '1', '--no-daemons', '--name', name]).status, 0);
    try {
      const standing = spawn(script, ['run', '1', '--name', name, '--', 'sh', '-c', 'kill -STOP $$; sleep 300'], {
        stdio: 'ignore',
      });
      const stateOf = (pid: number | undefined) => / ([A-Z]) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
      await until(() => stateOf(standing.pid) === 'T', 10, 'the run to stand still');
      assert.equal(spawnSync(script, ['run', '1', '--name', name, '--', 'sh', '-c', 'kill -CONT -1']).status, 0);
      assert.equal(stateOf(standing.pid), 'T');
      assert.equal(spawnSync(script, ['down', '--name', name], { timeout: 40_000 }).status, 0);
      await until(() => standing.exitCode !== null || standing.signalCode !== null, 10, 'the run to end');
    } finally {
      spawnSync(script, ['down', '--name', name]);
    }
  });

  void test('the mounts of a machine that shares them, as systemd does, stay as they are', () => {
    const name = `${testbed.name}-m`;
    const script = `${repository}/scripts/testbed`;
    const steps = `mount --make-rshared /; cat /proc/mounts > before; ${script} up 2 --no-daemons --name ${name} &&
      cat /proc/mounts > meanwhile; ${script} down --name ${name} && cmp before meanwhile && cmp before /proc/mounts`;
    const directory = mkdtempSync('/tmp/mosrun-test-');
    try {
      const words = ['--mount', 'sh', '-c', steps];
      const { status, stdout, stderr } = spawnSync('unshare', words, { cwd: directory, encoding: 'utf8' });
      assert.equal(status, 0, `${stdout}${stderr}`);
    } finally {
      testbedScript('down', '--name', name);
      rmSync(directory, { recursive: true });
    }
  });

  void test('mistakes are told', () => {
    for (const words of [
      ['up'],
      ['up', '0'],
      ['up', '2', '--rate', 'fast'],
      ['frobnicate'],
      ['cut', '9', '--name', testbed.name],
      [],
    ]) {
      const { status, stderr } = testbedScript(...words);
      assert.notEqual(status, 0, `${words.join(' ')} must fail`);
      assert.match(stderr, /testbed|usage/);
    }
    assert.match(testbedScript('up', '2', '--no-daemons', '--name', testbed.name).stderr, /up already/);
  });
});
