import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as plainRequest } from 'node:http';
import { request } from 'node:https';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type * as Api from '../../lib/api/index.js';
import { signList, writeList } from '../../lib/cluster/index.js';
import { TwoNodes, bin, run, until } from './two-nodes.js';

// As a program has it: the built library, by the name of the package.
const published = 'mosrun';

describe('the API and what nodes say to each other', { timeout: 60_000 }, () => {
  let two: TwoNodes;
  let cluster: Api.Cluster;
  before(async () => {
    two = await TwoNodes.up();
    const { Cluster } = (await import(published)) as typeof Api;
    cluster = await Cluster.connect({ socket: path.join(two.runtime(1), 'mosd.sock') });
  });
  after(async () => {
    await two.down();
  });

  test('a program runs, moves and is listed through the Node API', async () => {
    const program = await cluster.run('sleep', ['60'], {
      job: 'api',
      clock: 'host',
      locked: false,
      env: two.environment(1),
      stdio: 'ignore',
    });
    const { pid } = program;
    const listed = await until('it is listed', async () => {
      const found = (await cluster.processes()).find((one) => one.pid === pid);
      return found?.command === 'sleep 60' ? found : null;
    });
    assert.deepEqual([listed.job, listed.clock, listed.locked, listed.where], ['api', 'host', false, 'node1']);
    const moved = await cluster.migrate(pid, 'node2');
    assert.deepEqual([moved.version, moved.from, moved.to], [1, 'node1', 'node2']);
    const ordered = await cluster.migrate(pid, 'home', { wait: false });
    assert.equal(ordered.moved, false);
    await until('it is home', async () => (await cluster.process(pid)).process.where === 'node1');
    const { history } = await cluster.process(pid);
    assert.deepEqual(
      history.map((entry) => [entry.to, entry.outcome]),
      [
        ['node2', 'done'],
        ['node1', 'done'],
      ],
    );
    assert.deepEqual(await cluster.history(pid), history);
    assert.deepEqual(await cluster.explain(pid), { movable: false, reasons: ['it is only a fixture'] });
    assert.equal(program.kill(), true);
    assert.deepEqual(await program.exit, { code: null, signal: 'SIGTERM' });
  });

  test('a request that a daemon with much to do has not read in time is sent again', async () => {
    const { Cluster } = (await import(published)) as typeof Api;
    let late = 3;
    const server = createServer((_request, response) => {
      response.writeHead(late-- > 0 ? 408 : 200, { connection: 'close' }).end(late < 0 ? '{"version":1,"nodes":[]}' : '');
    });
    const socket = path.join(two.runtime(1), 'slow.sock');
    await new Promise<void>((resolve) => void server.listen(socket, resolve));
    try {
      const slow = await Cluster.connect({ socket });
      assert.deepEqual(await slow.nodes(), []);
      late = 100;
      await assert.rejects(slow.nodes(), {
        code: 'timeout',
        message: 'the daemon has too much to do to answer: try again later',
      });
      slow.close();
    } finally {
      server.close();
    }
  });

  test('errors have their code', async () => {
    await assert.rejects(cluster.migrate(1, 'node2'), { name: 'MosrunError', code: 'not-found' });
    await assert.rejects(cluster.process(4_000_000), { code: 'not-found' });
    const { Cluster } = (await import(published)) as typeof Api;
    await assert.rejects(Cluster.connect({ socket: '/nowhere' }), { code: 'no-daemon' });
  });

  test('the daemon describes itself, as status, doctor and OpenAPI', async () => {
    const status = await cluster.status();
    assert.deepEqual([status.node, status.cluster, status.configuration.error], ['node1', 'test', null]);
    const doctor = await cluster.doctor();
    for (const name of ['kernel', 'ptrace', 'seccomp-trap', 'userfaultfd', 'cgroup-v2', 'mosgate', 'mosseal']) {
      assert.ok(
        doctor.checks.some((check) => check.name === name),
        name,
      );
    }
    const description = await new Promise<string>((resolve, reject) => {
      plainRequest({ socketPath: path.join(two.runtime(1), 'mosd.sock'), path: '/v1/openapi.json' }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (more: string) => {
          text += more;
        });
        answer.on('end', () => {
          resolve(text);
        });
      })
        .on('error', reject)
        .end();
    });
    const { paths } = JSON.parse(description) as { paths: Record<string, unknown> };
    assert.ok(Object.keys(paths).includes('/v1/processes/{pid}/migrate'));
  });

  test('thirty launches at once are thirty jobs', async () => {
    const results = await Promise.all(
      Array.from({ length: 30 }, (_none, index) => two.call('mosrun', ['sh', '-c', `exit ${index}`])),
    );
    assert.deepEqual(
      results.map((result) => result.status),
      [...Array(30).keys()],
    );
    await until('their records are gone', () => two.filesIn(1, 'jobs').length <= 1, 30);
  });

  const peerAnswer = (certificates: string | null, extra: object = {}): Promise<number | string> => {
    const text = readFileSync(two.configuration(1), 'utf8');
    const port = Number(/control_port = (\d+)/.exec(text)?.[1]);
    const read = (name: string): Buffer => readFileSync(path.join(certificates ?? '', name));
    const own = certificates ? { cert: read('node.pem'), key: read('node.key') } : {};
    const ca = readFileSync(path.join(two.directory, 'etc/ca.pem'));
    return new Promise((resolve) => {
      request({ host: '127.0.0.1', port, path: '/v1/heartbeat', servername: 'node1', ca, ...own, ...extra }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .on('error', (error: NodeJS.ErrnoException) => {
          resolve(error.code ?? error.message);
        })
        .end();
    });
  };

  test('only nodes of the cluster are answered, and only over TLS 1.3', async () => {
    const member = path.join(two.directory, 'etc/nodes/node2');
    assert.equal(await peerAnswer(member), 200);
    assert.equal(typeof (await peerAnswer(null)), 'string', 'no certificate');
    assert.equal(
      typeof (await peerAnswer(member, { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' })),
      'string',
      'an old protocol',
    );
    const foreign = path.join(two.directory, 'foreign');
    const words = [
      'init',
      '--cluster',
      'other',
      '--node',
      'node2',
      '--number',
      '2',
      '--address',
      '127.0.0.1',
      '--directory',
      foreign,
    ];
    assert.equal((await run(bin('mosconf'), words)).status, 0);
    assert.equal(typeof (await peerAnswer(foreign)), 'string', "another cluster's certificate");
    const stranger = path.join(two.directory, 'stranger');
    const copy = path.join(two.directory, 'copy');
    assert.equal((await run('cp', ['-r', path.join(two.directory, 'etc'), copy])).status, 0);
    const add = ['add', 'node9', '--number', '9', '--address', '127.0.0.9', '--directory', copy, '--output', stranger];
    assert.equal((await run(bin('mosconf'), add)).status, 0);
    assert.equal(await peerAnswer(stranger), 403, 'a node that is not in the list');
  });

  test('mosconf replaces nothing unasked, and says what is missing', async () => {
    const etc = path.join(two.directory, 'etc');
    const words = ['init', '--cluster', 'x', '--node', 'n', '--number', '1', '--address', '10.0.0.1', '--directory', etc];
    const again = await run(bin('mosconf'), words);
    assert.deepEqual([again.status, /is there already: use --force/.test(again.stderr)], [1, true]);
    const incomplete = await run(bin('mosconf'), ['add', 'node3', '--address', '10.0.0.3', '--directory', etc]);
    assert.deepEqual([incomplete.status, incomplete.stderr], [2, 'mosrun: --number is missing: see mosconf --help\n']);
    const twice = await run(bin('mosconf'), ['add', 'node3', '--number', '2', '--address', '10.0.0.3', '--directory', etc]);
    assert.equal(twice.status, 1);
    assert.match(twice.stderr, /another node has number 2 already/);
    for (const [wrong, what] of [
      [['invite', '0'], 'mosconf invite'],
      [['invite', '1', '--hours', 'x'], '--hours'],
      [['join', '10.0.0.1:70700', '--token', 'x'], 'the port of the other node'],
    ] as const) {
      const { status, stderr } = await run(bin('mosconf'), [...wrong, '--directory', etc]);
      assert.equal(status, 2);
      assert.match(stderr, new RegExp(`^mosrun: ${what} wants a number from 1 to 65535, not `));
    }
  });

  test('mosconf check sees what a running daemon does not say', async () => {
    const etc = path.join(two.directory, 'etc');
    const check = async (): Promise<[number | null, string]> => {
      const { status, stdout, stderr } = await run(bin('mosconf'), ['check', '--directory', etc]);
      return [status, stdout + stderr];
    };
    assert.match((await check())[1], /: correct; node node1 of cluster test, \d nodes\n$/);
    chmodSync(path.join(etc, 'node.key'), 0o644);
    assert.deepEqual(await check(), [
      1,
      `mosrun: ${etc}/node.key can be read by others than its owner: chmod 600 ${etc}/node.key\n`,
    ]);
    chmodSync(path.join(etc, 'node.key'), 0o600);
    const list = signList(readFileSync(path.join(etc, 'ca.key'), 'utf8'), 'test', 1, [
      { name: 'node1', number: 1, address: '10.0.0.1', control_port: 7070, data_port: 7071 },
    ]);
    writeList(etc, list);
    assert.deepEqual(await check(), [0, `${etc}/mosrun.toml: correct; node node1 of cluster test, 1 node\n`]);
    writeList(etc, { ...list, nodes: list.nodes.map((node) => ({ ...node, address: '10.0.0.2' })) });
    const [status, said] = await check();
    assert.deepEqual([status, /nodes\.json is not as the authority signed it/.test(said)], [1, true]);
    rmSync(path.join(etc, 'nodes.json'));
  });

  test('mosconf and mosd tell an ordinary user to ask root', async (context) => {
    if (process.getuid?.() !== 0 || spawnSync(process.execPath, ['--version'], { uid: 65534 }).error) {
      context.skip('needs root, and node where other users may run it');
      return;
    }
    const etc = path.join(two.directory, 'etc');
    for (const [command, words, file] of [
      ['mosconf', ['check', '--directory', etc], 'node.key'],
      ['mosconf', ['invite', '--directory', etc], 'ca.key'],
      ['mosd', ['--config', path.join(etc, 'mosrun.toml')], 'node.key'],
    ] as const) {
      const { status, stderr } = await two.call(command, words, 1, { uid: 65534, gid: 65534 });
      assert.equal(status, 77, stderr);
      assert.match(stderr, new RegExp(`^mosrun: ${etc}/${file}.* as root\\n$`));
    }
  });
});
