/** The API for tools: what a certificate allows, and what it does not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as overSocket } from 'node:http';
import { createServer, request } from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type * as Api from '../../lib/api/index.js';
import { TwoNodes, until } from './two-nodes.js';

const published = 'mosrun';

describe('tools', { timeout: 60_000 }, () => {
  let two: TwoNodes;
  let api: typeof Api;
  let port: number;
  let idle: Promise<number>;
  const clusters: Api.Cluster[] = [];
  const directory = (name: string): string => path.join(two.directory, 'etc/tools', name);
  const etc = (): string => path.join(two.directory, 'etc');

  before(async () => {
    two = await TwoNodes.up();
    api = (await import(published)) as typeof Api;
    port = Number(/control_port = (\d+)/.exec(readFileSync(two.configuration(1), 'utf8'))?.[1]);
    for (const words of [['viewer'], ['robot', '--operate'], ['node2']]) {
      await two.expect('mosconf', ['tool', ...words, '--directory', etc()]);
    }
    // Half a request: its end is looked for in the last test.
    const began = performance.now();
    const socket = connect(path.join(two.runtime(1), 'mosd.sock'), () => socket.write('GET /v1/status HTTP/1.1\r\nHost: '));
    socket.resume();
    idle = new Promise((resolve) => socket.once('close', () => resolve((performance.now() - began) / 1000)));
  });
  after(async () => {
    for (const cluster of clusters) cluster.close();
    await two.down();
  });

  const connected = async (name: string, more: Api.ConnectOptions = {}): Promise<Api.Cluster> => {
    const cluster = await api.Cluster.connect({ host: '127.0.0.1', port, certificates: directory(name), ...more });
    clusters.push(cluster);
    return cluster;
  };

  /** A request with any certificate: status and body. */
  const answer = (own: string, method: string, target: string, body?: string, type = 'application/json') =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const [cert, key] = own.includes('/tools/') ? ['tool.pem', 'tool.key'] : ['node.pem', 'node.key'];
      const read = (name: string): Buffer => readFileSync(path.join(own, name));
      const tls = { ca: read('ca.pem'), cert: read(cert), key: read(key), servername: 'node1' };
      const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
      request({ host: '127.0.0.1', port, path: target, method, headers, ...tls }, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (more: string) => (text += more));
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
      })
        .on('error', reject)
        .end(body);
    });

  test('a reader sees everything, and orders nothing', async () => {
    const viewer = await connected('viewer');
    assert.equal((await viewer.status()).node, 'node1');
    const events = viewer.events({ after: '0' });
    const { pid } = await two.launch(['sleep', '60'], 1, process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {});
    for await (const event of events) if (event.type === 'process-started' && event.pid === pid) break;
    assert.ok((await viewer.processes()).some((one) => one.pid === pid));
    await assert.rejects(viewer.migrate(pid, 'node2'), {
      code: 'not-permitted',
      message: /^tool viewer may only look: make a cert/,
    });
    assert.equal((await viewer.process(pid)).process.where, 'node1');
    await assert.rejects(viewer.run('true'), { code: 'usage' });
  });

  test('an operator does what root may, under its own name', async () => {
    const robot = await connected('robot', { node: 'node1' });
    const { pid } = await two.launch(['sleep', '60'], 1, process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {});
    assert.equal((await robot.migrate(pid, 'node2')).moved, true);
    assert.deepEqual(
      (await robot.history(pid)).map((entry) => [entry.to, entry.reason]),
      [['node2', 'ordered by tool robot']],
    );
  });

  test("a node's certificate opens no tool's door, nor a tool's a node's", async () => {
    const { pid } = await two.launch(['sleep', '60']);
    const node = path.join(etc(), 'nodes/node2');
    assert.equal((await answer(node, 'GET', '/v1/heartbeat')).status, 200, 'it is a node, for this');
    for (const target of ['/v1/processes', '/v1/events', '/metrics'])
      assert.equal((await answer(node, 'GET', target)).status, 404);
    const order = JSON.stringify({ to: 'node2', wait: true });
    assert.equal((await answer(node, 'POST', `/v1/processes/${pid}/migrate`, order)).status, 404);
    assert.equal((await answer(directory('robot'), 'POST', `/v1/processes/${pid}/migrate`, order)).status, 200, 'a tool may');
    // This tool is called like a node.
    for (const [method, target] of [
      ['GET', '/v1/heartbeat'],
      ['POST', '/v1/sessions'],
      ['DELETE', '/v1/sessions/0'],
    ] as const) {
      for (const name of ['node2', 'robot']) assert.equal((await answer(directory(name), method, target)).status, 404);
    }
  });

  test('no tool can pass for a node, and a tool asks only the node it means', async () => {
    const read = (name: string): Buffer => readFileSync(path.join(directory('node2'), name));
    const server = createServer({ cert: read('tool.pem'), key: read('tool.key') }, (_incoming, outgoing) => outgoing.end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port: false1 } = server.address() as { port: number };
      await assert.rejects(connected('viewer', { port: false1 }), { code: 'unreachable', message: /purpose/ });
    } finally {
      server.close();
    }
    await assert.rejects(connected('viewer', { node: 'node2' }), { code: 'unreachable', message: /node2/ });
    await assert.rejects(api.Cluster.connect({ host: '127.0.0.1', port }), { code: 'usage' });
    await assert.rejects(connected('nobody'), { code: 'usage' });
    await assert.rejects(connected('viewer', { port: 1 }), { code: 'unreachable' });
  });

  test('metrics are there for tools and for users', async () => {
    const { status, text } = await answer(directory('viewer'), 'GET', '/metrics');
    assert.equal(status, 200);
    assert.match(text, /^mosrun_build_info\{version="[\d.]+",node="node1"\} 1$/m);
    assert.match(text, /^mosrun_migrations_total\{direction="out",result="done"\} [1-9]/m);
    assert.match(text, /^mosrun_nodes\{state="up"\} 2$/m);
    // Whoever hangs up leaves nothing behind, in the middle of a stream or before it has begun.
    const streams = async (): Promise<number> => {
      const now = await answer(directory('viewer'), 'GET', '/metrics');
      return Number(/^mosrun_event_streams (\d+)$/m.exec(now.text)?.[1]);
    };
    const before = await streams();
    const some = Array.from({ length: 10 }, (_none, index) => {
      const socket = connect(path.join(two.runtime(1), 'mosd.sock')).on('error', () => {});
      socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
      if (index % 2 === 0) setImmediate(() => socket.destroy());
      return socket.resume();
    });
    await until('the streams are counted', async () => (await streams()) === before + 5);
    for (const socket of some) socket.destroy();
    await until('none of them is left', async () => (await streams()) === before);

    const local = await new Promise<{ type: string | undefined; text: string }>((resolve, reject) => {
      overSocket({ socketPath: path.join(two.runtime(1), 'mosd.sock'), path: '/metrics' }, (incoming) => {
        let more = '';
        incoming.setEncoding('utf8').on('data', (piece: string) => (more += piece));
        incoming.on('end', () => resolve({ type: incoming.headers['content-type'], text: more }));
      })
        .on('error', reject)
        .end();
    });
    assert.equal(local.type, 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(local.text, /^# TYPE mosrun_migration_freeze_seconds histogram$/m);
  });

  test('requests that are too long, of the wrong type or no JSON are refused with a reason', async () => {
    const robot = directory('robot');
    const target = '/v1/processes/1/migrate';
    const long = await answer(robot, 'POST', target, JSON.stringify({ to: 'x'.repeat(70_000) }));
    assert.deepEqual([long.status, /longer than 65536 bytes/.test(long.text)], [400, true]);
    const form = await answer(robot, 'POST', target, '{"to":"node2"}', 'text/plain');
    assert.deepEqual([form.status, /content-type/.test(form.text)], [400, true]);
    assert.match((await answer(robot, 'POST', target, '{')).text, /is no JSON/);
    assert.match((await answer(robot, 'POST', target, '{}')).text, /"usage".*body.*to/);
    assert.match((await answer(robot, 'GET', '/v1/processes/0')).text, /"usage".*path/);
    assert.match((await answer(robot, 'GET', '/v1/nothing')).text, /"not-found".*openapi/);
    assert.equal((await answer(robot, 'HEAD', '/v1/events')).status, 400);
    assert.equal((await answer(robot, 'GET', '/v1/status', undefined)).status, 200, 'the daemon is well');
  });

  test('what is wrong with a signal, a closed connection or the command line says so', async () => {
    const viewer = await connected('viewer');
    await assert.rejects(viewer.status({ signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' });
    await assert.rejects(viewer.process(4_000_000), { code: 'not-found' });
    viewer.close();
    await assert.rejects(viewer.status(), { code: 'failed', message: /closed/ });
    const call = async (...words: string[]) => two.call('mosconf', ['tool', ...words, '--directory', etc()]);
    assert.match((await call('viewer')).stderr, /is there already: use --force/);
    assert.equal((await call()).status, 2);
    assert.equal((await call('a/b')).status, 2);
    const elsewhere = path.join(etc(), 'nodes/node2');
    assert.match((await two.call('mosconf', ['tool', 'x', '--directory', elsewhere])).stderr, /where the cluster was made/);
  });

  test('nobody takes all connections, and half a request does not stay', async () => {
    const socketPath = path.join(two.runtime(1), 'mosd.sock');
    let closed = 0;
    const sockets = Array.from({ length: 140 }, () => connect(socketPath).on('error', () => {}));
    for (const socket of sockets) socket.resume().once('close', () => closed++);
    await until('those that are too many are closed', () => closed >= 12);
    assert.ok(closed < 40, `${closed} are closed`);
    for (const socket of sockets) socket.destroy();
    await until('there is room again', async () => (await two.call('mosctl', ['status'])).status === 0);
    const seconds = await idle;
    assert.ok(seconds > 3 && seconds < 15, `${seconds} s`);
  });
});
