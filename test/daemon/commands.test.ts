import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { helpText } from '../../lib/commands/help.js';
import { commands } from '../../lib/commands/table.js';
import * as documents from '../../lib/shared/documents.js';
import { VERSION } from '../../lib/shared/version.js';
import { TwoNodes, bin, until } from './two-nodes.js';

const source = process.env.MOSRUN_SOURCE ?? process.cwd();

interface Listed {
  pid: number;
  command: string;
  where: string;
  home: string;
  state: string;
  migrations: number;
  last_freeze_seconds: number | null;
  why: string | null;
  job: string | null;
  locked: boolean;
  clock: string;
}
interface Moved {
  from: string;
  to: string;
  moved: boolean;
  freeze_seconds: number;
}

test('mosrun explains itself without a daemon, with the text of the table', () => {
  const run = (...words: string[]) => {
    const env = { ...process.env, MOSRUN_LAUNCH_SOCKET: '/nonexistent' };
    const { status, stdout, stderr } = spawnSync(bin('mosrun'), words, { env, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const help = { status: 0, stdout: helpText(commands.mosrun), stderr: '' };
  const version = { status: 0, stdout: `mosrun ${VERSION}\n`, stderr: '' };
  for (const words of [
    ['--help'],
    ['-bF', '--help'],
    ['-r', '--version', '--help', 'program'],
    ['--node=a', '--version', '--help'],
  ]) {
    assert.deepEqual(run(...words), help);
  }
  assert.deepEqual(run('-rnode2', '--job', '--help', '--version'), version);
  // The program's own options, values, and wrong options are for the daemon.
  for (const words of [['program', '--help'], ['--', '--help'], ['-r', '--help'], ['--help', '--bogus'], ['--help=1'], ['-J']]) {
    assert.equal(run(...words).status, 125);
    assert.match(run(...words).stderr, /^mosrun: no daemon answers on this node: /);
  }
});

describe('two daemons and their commands', { timeout: 300_000 }, () => {
  let two: TwoNodes;
  before(async () => {
    two = await TwoNodes.up('[migration]\ntimeout_seconds = 3\n');
  });
  after(async () => {
    await two.down();
  });

  const listed = async (pid: number): Promise<Listed> => {
    const { processes } = await two.json<{ processes: Listed[] }>('mosps', []);
    const found = processes.find((one) => one.pid === pid);
    assert.ok(found, `process ${pid} is listed`);
    return found;
  };

  test("the program's output, error and exit status are its own", async () => {
    const result = await two.call('mosrun', ['sh', '-c', 'echo out; echo err >&2; exit 3']);
    assert.deepEqual(result, { status: 3, signal: null, stdout: 'out\n', stderr: 'err\n' });
    assert.equal((await two.call('mosrun', ['sh', '-c', 'kill -TERM $$'])).signal, 'SIGTERM');
  });

  test('arguments, environment and directory reach the program unchanged', async () => {
    const script = 'console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env]))';
    const words = ['-r', '--help', '', 'a b', 'grün', '--'];
    const plainEnvironment = { ...two.environment(1), CHECK: 'x=y' };
    const result = await two.call('mosrun', ['-L', process.execPath, '-e', script, '--', ...words], 1, {
      cwd: '/usr',
      env: plainEnvironment,
    });
    const [argv, directory, environment] = JSON.parse(result.stdout) as [string[], string, Record<string, string>];
    assert.deepEqual(argv, words);
    assert.equal(directory, '/usr');
    const { ...expected } = plainEnvironment;
    assert.deepEqual(environment, expected);
  });

  test('-z gives argv[0]; what cannot run ends as with env', async () => {
    assert.equal((await two.call('mosrun', ['-z', 'sh', 'zero', '-c', 'echo $0'])).stdout, 'zero\n');
    const missing = await two.call('mosrun', ['no-such-program']);
    assert.equal(missing.status, 127);
    assert.match(missing.stderr, /^mosrun: cannot run no-such-program: .*: check the name/);
    assert.equal((await two.call('mosrun', ['/etc/passwd'])).status, 126);
  });

  test('wrong usage says so, and help comes from the table', async () => {
    for (const args of [['-Y', 'true'], [], ['-r'], ['--locked=1', 'true'], ['-z', 'true']]) {
      const result = await two.call('mosrun', args);
      assert.equal(result.status, 125, args.join(' '));
      assert.match(result.stderr, /^mosrun: .*: see mosrun --help\n$/);
    }
    assert.match(await two.expect('mosrun', ['--help']), /-r, --node NODE/);
    assert.equal(await two.expect('mosrun', ['--version']), 'mosrun 0.1.0\n');
    assert.equal((await two.call('migrate', ['1'])).status, 2);
    assert.equal((await two.call('migrate', ['x', 'node2'])).status, 2);
    assert.equal((await two.call('mosps', ['--frobnicate'])).status, 2);
    assert.equal((await two.call('mosctl', ['dance'])).status, 2);
    assert.match((await two.call('mosctl', ['block', 'node2'])).stderr, /"node2" is too much, for block is about this node/);
    assert.match((await two.call('mosctl', ['status', '--format', 'node'])).stderr, /--format is for nodes alone/);
  });

  test('a process is moved out, listed there, and moved home', async () => {
    const { pid } = await two.launch(['-J', 'bundle', '-t', 'sleep', '60']);
    assert.deepEqual(await listed(pid), {
      ...(await listed(pid)),
      command: 'sleep 60',
      where: 'node1',
      home: 'node1',
      state: 'running',
      migrations: 0,
      last_freeze_seconds: null,
      job: 'bundle',
      clock: 'host',
    });
    const out = await two.json<Moved>('migrate', [`${pid}`, '2', '--wait']);
    assert.deepEqual([out.from, out.to, out.moved, out.freeze_seconds], ['node1', 'node2', true, 0.012]);
    const away = await listed(pid);
    assert.deepEqual(
      [away.where, away.state, away.migrations, away.last_freeze_seconds, away.command],
      ['node2', 'away', 1, 0.012, 'sleep 60'],
    );
    assert.deepEqual((await two.json<Moved>('migrate', [`${pid}`, 'out', '--wait'])).moved, false);
    const text = await two.expect('migrate', [`${pid}`, 'home', '--wait']);
    assert.match(text, /^process \d+ moved from node2 to node1 in 20\.0 ms, frozen for 12\.0 ms, 120\.6 KiB sent\n$/);
    assert.deepEqual([(await listed(pid)).where, (await listed(pid)).migrations], ['node1', 2]);
    const fields = await two.expect('mosps', ['-J', 'bundle', '--format', 'pid,where,job,last_freeze_seconds']);
    assert.equal(fields, `${pid}\tnode1\tbundle\t0.012\n`);
    assert.equal((await two.call('mosps', ['--format', 'pid,colour'])).status, 2);
    assert.equal(await two.expect('mosctl', ['nodes', '--format', 'name,state']), 'node1\tup\nnode2\tup\n');
    assert.match(await two.expect('mosps', ['--history', `${pid}`]), /node1 +node2 +done/);
    assert.match(await two.expect('mosps', ['--explain', `${pid}`]), /cannot move:\n {2}it is only a fixture/);
    const bundle = await two.json<{ migrations: Moved[] }>('migrate', ['-J', 'bundle', 'node2', '--wait']);
    assert.equal(bundle.migrations[0]?.to, 'node2');
  });

  test('--explain says why a process is where it is, and who would take it', async () => {
    const { pid } = await two.launch(['sleep', '60']);
    const explain = (): Promise<string> => two.expect('mosps', ['--explain', `${pid}`]);
    assert.match(await explain(), /why there: it was started here, and nothing has moved it\n.*\n {2}it is only a fixture\n/);
    assert.match(await explain(), /\nnode2 would take it if it could move\n$/);
    await two.expect('migrate', [`${pid}`, 'node2', '--wait']);
    assert.doesNotMatch(await explain(), /node2 would/, 'it is there');
    assert.match(await explain(), /is on node2\nwhy there: ordered by uid 0, \d{4}-.*\nit can come home at any time\n/);
    interface Explanation {
      movable: boolean | null;
      because: string;
      nodes: object[];
    }
    const document = await two.json<Explanation>('mosps', ['--explain', `${pid}`]);
    assert.deepEqual([document.movable, document.nodes], [null, [{ node: 'node2', takes: true, reason: null }]]);
  });

  test('mosrun --explain runs nothing, and says what would become of it', async () => {
    const text = await two.expect('mosrun', ['--explain', '-r', 'node2', 'sh', '-c', 'echo run >&2']);
    assert.match(text, /^\/.*\/sh is an x86_64 program\nit could not move:\n {2}it is only a fixture\n/);
    assert.match(
      text,
      /\nit would start on node2: asked for \(-r node2\)\nit would be locked: .*\nnode2 would take it if it could move\n$/,
    );
    writeFileSync(`${two.directory}/script`, '#!/bin/sh -e\n', { mode: 0o755 });
    interface Explanation {
      program: string;
      kind: string;
      start: { node: string };
      job: string | null;
      version: number;
    }
    const found = JSON.parse(
      await two.expect('mosrun', ['--json', '--explain', '-J', 'a', `${two.directory}/script`]),
    ) as Explanation;
    assert.deepEqual(
      [found.program, found.kind, found.start.node, found.job, found.version],
      [`${two.directory}/script`, 'a script of /bin/sh -e', 'node1', 'a', 1],
    );
    const wrong = async (...words: string[]) => (await two.call('mosrun', ['--explain', ...words])).status;
    assert.deepEqual(
      [await wrong('no-such-program'), await wrong('/etc/passwd'), await wrong(), await wrong('/etc')],
      [127, 126, 125, 126],
    );
    const { stderr } = await two.call('mosrun', ['--explain', 'no-such-program']);
    assert.equal(stderr, 'mosrun: cannot run no-such-program: no such file or directory: check the name and PATH\n');
    assert.equal((await two.call('mosrun', ['--json', 'true'])).status, 125);
    const { processes } = await two.json<{ processes: Listed[] }>('mosps', ['-J', 'a']);
    assert.deepEqual(processes, [], 'nothing was run');
  });

  test('what --json prints is as docs/commands.md says, each command by its schema', async () => {
    const { pid } = await two.launch(['-J', 'documents', 'sleep', '60']);
    const page = readFileSync(path.join(source, 'docs/commands.md'), 'utf8').split('## JSON')[1] ?? '';
    const rows = [...page.matchAll(/^\| `(.*?)` \| (\w+) \|$/gm)];
    assert.ok(rows.length >= 15);
    const schemas = new Map<string, unknown>(Object.entries(documents));
    for (const [, line = '', name = ''] of rows) {
      const filled = line.replace('PID', `${pid}`).replace('NODE', 'node2').replace('ID', 'documents');
      const [command = '', ...words] = filled.split(' ');
      const { stdout } = await two.call(command, ['--json', ...words]);
      const schema = schemas.get(`${name.charAt(0).toLowerCase()}${name.slice(1)}Document`);
      assert.ok(schema instanceof z.ZodType, `${name} is a schema`);
      const parsed = schema.safeParse(JSON.parse(stdout));
      assert.ok(parsed.success, `${line}: ${parsed.error?.message}: ${stdout}`);
    }
  });

  test('a mover that fails, dies or hangs is an error with its reason, and the next order works', async () => {
    const { pid } = await two.launch(['sleep', '60']);
    two.behave(1, 'refuse');
    const refused = await two.call('migrate', [`${pid}`, 'node2', '--wait']);
    assert.deepEqual([refused.status, refused.stderr], [1, `mosrun: process ${pid} maps a device: it stays\n`]);
    assert.equal((await listed(pid)).why, `process ${pid} maps a device: it stays`);
    await until('node2 expects it no longer', async () => {
      const { guests } = await two.json<{ guests: { home_pid: number }[] }>('mosps', [], 2);
      return !guests.some((guest) => guest.home_pid === pid);
    });
    two.behave(1, 'crash');
    const crashed = await two.call('migrate', [`${pid}`, 'node2', '--wait']);
    assert.equal(crashed.status, 1);
    assert.match(crashed.stderr, /ended without a result \(assertion failed\)/);
    two.behave(1, 'slow');
    const slow = two.call('migrate', [`${pid}`, 'node2', '--wait']);
    await until('it is moving', async () => (await listed(pid)).state === 'moving');
    const second = await two.call('migrate', [`${pid}`, 'home', '--wait']);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /is being moved already/);
    assert.equal((await slow).status, 0);
    assert.equal((await listed(pid)).where, 'node2');
    two.behave(1, 'hang');
    const hung = await two.call('migrate', [`${pid}`, 'home', '--wait']);
    assert.equal(hung.status, 1);
    assert.match(hung.stderr, /took longer than 8 s and was given up/);
    two.behave(1, 'done');
    assert.equal((await two.json<Moved>('migrate', [`${pid}`, 'home', '--wait'])).to, 'node1');
    assert.equal((await listed(pid)).why, null);
  });

  test('mosctl events prints what happens, an event a line', async () => {
    const watch = (words: string[]) => {
      const child = spawn(bin('mosctl'), ['events', ...words], { env: two.environment(1), stdio: ['ignore', 'pipe', 'inherit'] });
      two.children.push(child);
      const watcher = { child, text: '' };
      child.stdout.setEncoding('utf8').on('data', (more: string) => (watcher.text += more));
      return watcher;
    };
    const plain = watch([]);
    const json = watch(['--json']);
    await until('both have told of a program', async () => {
      await two.call('mosrun', ['true', 'line\nfeed']);
      return plain.text.includes('process-started') && json.text.includes('process-started');
    });
    assert.match(plain.text, /^\d{4}-\S+Z node1 process-started pid=\d+ uid=\d+ command="true line\\nfeed" job_number=\d+$/m);
    const events = json.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { version: number; type: string });
    assert.ok(events.every((event) => event.version === 1));
    for (const { child } of [plain, json]) child.kill();
  });

  test('unknown nodes and processes are errors', async () => {
    const { pid } = await two.launch(['sleep', '60']);
    const node = await two.call('migrate', [`${pid}`, 'nowhere', '--wait']);
    assert.deepEqual([node.status, node.stderr], [1, 'mosrun: no node is called nowhere: see mosctl nodes\n']);
    const foreign = await two.call('migrate', [`${process.pid}`, 'node2', '--wait']);
    assert.equal(foreign.status, 1);
    assert.match(foreign.stderr, /was not started by mosrun/);
    assert.equal((await two.call('mosrun', ['-r', 'nowhere', 'true'])).status, 125);
  });

  test("another user's process is refused with 77, one's own is moved", async (context) => {
    if (process.geteuid?.() !== 0) {
      context.skip('needs root');
      return;
    }
    const nobody = { uid: 65534, gid: 65534 };
    if (spawnSync(process.execPath, ['--version'], nobody).error) {
      context.skip('other users may not run node where it is');
      return;
    }
    const { pid } = await two.launch(['sleep', '60']);
    const other = await two.call('migrate', [`${pid}`, 'node2', '--wait'], 1, nobody);
    assert.equal(other.status, 77);
    assert.match(other.stderr, /belongs to somebody else/);
    const own = await two.launch(['sleep', '60'], 1, nobody);
    assert.equal((await two.call('migrate', [`${own.pid}`, 'node2', '--wait'], 1, nobody)).status, 0);
  });

  test('-r starts there; with a refusal it fails unless -F is given', async () => {
    const { pid } = await two.launch(['-r', 'node2', 'sleep', '60']);
    const one = await until('it is away', async () => {
      const found = await listed(pid);
      return found.where === 'node2' && found.state === 'away' ? found : null;
    });
    assert.equal(one.locked, true);
    two.behave(1, 'refuse');
    assert.equal((await two.call('mosrun', ['-F', '-r', 'node2', 'true'])).status, 0);
    two.behave(1, 'done');
    assert.equal((await two.call('mosrun', ['-b', 'true'])).status, 0);
  });

  test('mosps prints one line for a command line of several, and JSON keeps them', async () => {
    const script = 'setTimeout(() => {}, 60000);\n// \u001b[31m second\n';
    const { pid } = await two.launch(['-J', 'lines', process.execPath, '-e', script]);
    const lines = (await two.expect('mosps', ['-J', 'lines', '--no-header'])).split('\n');
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines[0] ?? '', /60000\);\?\/\/ \?\[31m second\?/);
    assert.equal((await listed(pid)).command, `${process.execPath} -e ${script}`);
    assert.match(await two.expect('mosps', ['--explain', `${pid}`]), /^process \d+ \(.*second\?\) lives/);
  });

  test('a mosrun within a mosrun keeps the outer options', async () => {
    const { pid } = await two.launch(['-L', '-J', 'outer', '-t', 'sh', '-c', `${bin('mosrun')} sleep 61; true`]);
    const inner = await until('the inner one runs', async () => {
      const { processes } = await two.json<{ processes: (Listed & { parent_pid: number })[] }>('mosps', []);
      return processes.find((one) => one.parent_pid === pid && one.command === 'sleep 61') ?? null;
    });
    assert.deepEqual([inner.job, inner.locked, inner.clock], ['outer', true, 'host']);
    process.kill(inner.pid);
  });

  test('a killed daemon finds its processes, moves under way and histories again', async () => {
    const { pid } = await two.launch(['-J', 'kept', 'sleep', '60']);
    await two.expect('migrate', [`${pid}`, 'node2', '--wait']);
    const before = await listed(pid);
    await two.end(1, 'SIGKILL');
    const none = await two.call('mosps', []);
    assert.equal(none.status, 69);
    assert.match(none.stderr, /^mosrun: no daemon answers at .*: start mosd/);
    assert.equal((await two.call('mosrun', ['true'])).status, 125);
    two.start(1);
    await two.bothUp();
    assert.deepEqual(await listed(pid), before);

    two.behave(1, 'slow');
    const order = two.call('migrate', [`${pid}`, 'home', '--wait']);
    await until('it is moving', async () => (await listed(pid)).state === 'moving');
    await two.end(1, 'SIGKILL');
    // As if it had died before it knew the mover's number.
    const record = `${two.runtime(1)}/movers/${pid}.json`;
    writeFileSync(record, readFileSync(record, 'utf8').replace(/"mover_pid":\d+/, '"mover_pid":null'));
    assert.equal((await order).status, 69);
    two.start(1);
    await two.bothUp();
    two.behave(1, 'done');
    const after = await until('the move has ended', async () => {
      const found = await listed(pid);
      return found.state === 'running' ? found : null;
    });
    assert.deepEqual([after.where, after.migrations, after.job], ['node1', 2, 'kept']);
  });

  test('a wrong configuration never stops a running daemon', async () => {
    const file = two.configuration(2);
    const text = readFileSync(file, 'utf8');
    appendFileSync(file, '\n[hosting]\nmax_guests = "many"\n');
    two.reload(2);
    interface Status {
      configuration: { error: string | null };
    }
    const status = await until('the error is shown', async () => {
      const found = await two.json<Status>('mosctl', ['status'], 2);
      return found.configuration.error ? found : null;
    });
    const line = readFileSync(file, 'utf8').split('\n').indexOf('max_guests = "many"') + 1;
    assert.match(status.configuration.error ?? '', new RegExp(`mosrun\\.toml:${line}: hosting\\.max_guests: .*expected number`));
    const check = await two.call('mosconf', ['check', '--config', file], 2);
    assert.equal(check.status, 1);
    writeFileSync(file, `${text}\n[hosting]\nblocked = true\n`);
    two.reload(2);
    await until('the error is gone', async () => (await two.json<Status>('mosctl', ['status'], 2)).configuration.error === null);
    const { pid } = await two.launch(['sleep', '60']);
    const refused = await two.call('migrate', [`${pid}`, 'node2', '--wait']);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /node2 does not take process \d+: it is blocked for guests/);
    assert.match(await two.expect('mosps', ['--explain', `${pid}`]), /\nnode2 would not take it: it is blocked for guests/);
    writeFileSync(file, text);
    two.reload(2);
    await until('it takes guests again', async () => (await two.call('migrate', [`${pid}`, 'node2', '--wait'])).status === 0);
  });

  test('a node whose daemon is gone is down; a move there fails with the reason', async () => {
    const { pid } = await two.launch(['sleep', '60']);
    await two.end(2, 'SIGKILL');
    const at = Date.now();
    const failed = await two.call('migrate', [`${pid}`, 'node2', '--wait']);
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /node2.*(cannot be reached|is down)/);
    assert.ok(Date.now() - at < 5000);
    await until('node2 is down', async () => {
      const { nodes } = await two.json<{ nodes: { name: string; state: string; why: string }[] }>('mosctl', ['nodes']);
      return nodes.find((one) => one.name === 'node2' && one.state === 'down' && one.why.includes('ECONNREFUSED')) ?? null;
    });
    const strict = await two.call('mosrun', ['-r', 'node2', 'true']);
    assert.equal(strict.status, 125);
    assert.match(strict.stderr, /node2 is down/);
    assert.equal((await two.call('mosrun', ['-F', '-r', 'node2', 'true'])).status, 0);
    two.start(2);
    await two.bothUp();
  });

  test('nothing of an ended process is left', async () => {
    const { pid } = await two.launch(['sleep', '60']);
    await two.expect('migrate', [`${pid}`, 'node2', '--wait']);
    assert.ok(two.filesIn(1, 'processes').includes(`${pid}.json`));
    for (const child of two.children.splice(0)) child.kill('SIGKILL');
    await until('its files are gone', () =>
      ['processes', 'history', 'jobs', 'movers'].every((name) => two.filesIn(1, name).length === 0),
    );
  });

  test('a daemon whose port is taken says so and ends, and leaves no socket behind', async () => {
    const file = path.join(path.dirname(two.configuration(1)), 'other.toml');
    const text = readFileSync(two.configuration(1), 'utf8');
    writeFileSync(file, text.replaceAll(two.runtime(1), two.runtime(3)));
    const { status, stderr } = spawnSync(bin('mosd'), ['--config', file], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^mosrun: cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): another program has this port$/m);
    assert.deepEqual(
      two.filesIn(3, '.').filter((name) => name.endsWith('.sock')),
      [],
    );
  });

  test('SIGTERM ends a daemon cleanly, and a second one refuses to start beside the first', async () => {
    const second = spawn(bin('mosd'), ['--config', two.configuration(1)], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    second.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    assert.equal(await new Promise((resolve) => second.once('exit', resolve)), 1);
    assert.match(said, /a mosd is running already/);
    assert.equal(await two.end(1, 'SIGTERM'), 0);
    assert.ok(!existsSync(`${two.runtime(1)}/mosd.sock`));
    two.start(1);
    await two.bothUp();
    await sleep(0);
  });
});
