/** What daemons tell as it happens, through the Node API. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type * as Api from '../../lib/api/index.js';
import { TwoNodes, run, until } from './two-nodes.js';

const published = 'mosrun';

describe('events', { timeout: 60_000 }, () => {
  let two: TwoNodes;
  let cluster: Api.Cluster;
  const heard: Api.Event[] = [];
  const listening = new AbortController();
  let over: Promise<unknown>;
  before(async () => {
    two = await TwoNodes.up('[migration]\ntimeout_seconds = 3\n');
    const { Cluster } = (await import(published)) as typeof Api;
    cluster = await Cluster.connect({ socket: path.join(two.runtime(1), 'mosd.sock') });
    const events = cluster.events({ signal: listening.signal });
    await events.connected;
    over = (async () => {
      for await (const event of events) heard.push(event);
    })().catch((error: unknown) => error);
  });
  after(async () => {
    cluster?.close();
    await two.down();
  });

  const until1 = async <T extends Api.EventType>(type: T, matches: (event: Api.Event<T>) => boolean = () => true) => {
    const fits = (event: Api.Event): boolean => event.type === type && matches(event as unknown as Api.Event<T>);
    const found = await until(`the event ${type} among ${JSON.stringify(heard)}`, () => heard.find(fits) ?? null);
    return found as unknown as Api.Event<T>;
  };

  test('a program starts, moves, is not moved, and ends', async () => {
    const program = await cluster.run('sleep', ['60'], { job: 'told', env: two.environment(1), stdio: 'ignore' });
    const { pid } = program;
    const mine = (event: { pid: number }): boolean => event.pid === pid;
    // At once: the daemon waits until the launcher has become the program.
    await program.migrate('node2');
    two.behave(1, 'refuse');
    await assert.rejects(program.migrate('home'), { code: 'cannot-move' });
    two.behave(1, 'done');
    program.kill('SIGKILL');
    const started = await until1('process-started', mine);
    assert.deepEqual([started.command, started.job, started.node, started.version], ['sleep 60', 'told', 'node1', 1]);
    const begun = await until1('migration-started', mine);
    assert.deepEqual([begun.from, begun.to, begun.reason], ['node1', 'node2', `ordered by uid ${process.getuid?.()}`]);
    const finished = await until1('migration-finished', mine);
    assert.deepEqual([finished.to, finished.freeze_seconds, finished.bytes], ['node2', 0.012, 123456]);
    const failed = await until1('migration-failed', mine);
    assert.deepEqual([failed.to, failed.code], ['node1', 'cannot-move']);
    const ended = await until1('process-ended', mine);
    assert.ok(ended.elapsed_seconds >= 0 && ended.elapsed_seconds < 30 && ended.job === 'told');
  });

  test('the configuration is read, or is wrong', async () => {
    const file = two.configuration(1);
    const right = readFileSync(file, 'utf8');
    appendFileSync(file, '[hosting]\nblocked = true\n');
    two.reload(1);
    assert.equal((await until1('configuration-read')).file, file);
    assert.equal((await until1('node-changed', (event) => event.name === 'node1')).state, 'blocked');
    writeFileSync(file, `${right}\nbogus = 1\n`);
    two.reload(1);
    assert.match((await until1('configuration-wrong')).message, /bogus/);
    writeFileSync(file, right);
    two.reload(1);
  });

  test('a program is started by the daemon one is connected to; one that cannot be, or is given up, says so', async () => {
    const { PATH } = two.environment(1);
    const mine = await cluster.run('sh', ['-c', 'echo $MOSRUN_LAUNCH_SOCKET; exit 7'], { env: { PATH }, stdio: 'pipe' });
    let text = '';
    mine.stdout?.setEncoding('utf8').on('data', (more: string) => (text += more));
    assert.deepEqual(await mine.exit, { code: 7, signal: null });
    assert.equal(text, `${two.runtime(1)}/launch.sock\n`);
    assert.equal((await until1('process-started', (event) => event.pid === mine.pid)).node, 'node1');

    const { exit } = await cluster.run('no-such-program', [], { env: { PATH }, stdio: 'ignore' });
    assert.equal((await exit).code, 127);
    await assert.rejects(cluster.run('true', [], { env: { PATH: '/nowhere' } }), { code: 'failed', message: /not on PATH/ });
    await assert.rejects(cluster.run('true', [], { env: { PATH }, signal: AbortSignal.abort(new Error('no')) }), {
      message: 'no',
    });
    const giveUp = new AbortController();
    const killed = await cluster.run('sleep', ['60'], { env: { PATH }, signal: giveUp.signal, stdio: 'ignore' });
    giveUp.abort();
    assert.deepEqual(await killed.exit, { code: null, signal: 'SIGTERM' });
    await assert.rejects(killed.migrate('node2'), { code: 'not-found' });
  });

  test('an order that nobody waits for any more goes on', async () => {
    const { pid } = await two.launch(['sleep', '60']);
    two.behave(1, 'slow');
    const signal = AbortSignal.timeout(500);
    await assert.rejects(cluster.migrate(pid, 'node2', { signal }), { name: 'TimeoutError' });
    two.behave(1, 'done');
    await until1('migration-finished', (event) => event.pid === pid);
    assert.equal((await cluster.process(pid)).process.where, 'node2');
  });

  test('nodes go and come, and a stream whose daemon was away is taken up again', async () => {
    await two.end(2, 'SIGKILL');
    await until1('node-down', (event) => event.name === 'node2');
    two.start(2);
    await until1('node-up', (event) => event.name === 'node2');
    const before = heard.length;
    await two.end(1, 'SIGTERM');
    await until1('stream-ended');
    two.start(1);
    await until1('events-missed');
    await two.bothUp();
    const { pid } = await two.launch(['sleep', '60']);
    await until1('process-started', (event) => event.pid === pid);
    assert.ok(heard.length > before);
  });

  test('a refused guest is told by the node that refuses, with a reason to count by', async () => {
    const { Cluster } = (await import(published)) as typeof Api;
    const other = await Cluster.connect({ socket: path.join(two.runtime(2), 'mosd.sock') });
    const events = other.events();
    await events.connected;
    const file = two.configuration(2);
    const right = readFileSync(file, 'utf8');
    appendFileSync(file, '[hosting]\nblocked = true\n');
    two.reload(2);
    await until1('node-changed', (event) => event.name === 'node2' && event.state === 'blocked');
    const { pid } = await two.launch(['sleep', '61']);
    await assert.rejects(cluster.migrate(pid, 'node2'), { code: 'refused' });
    for await (const event of events) {
      if (event.type !== 'guest-refused') continue;
      assert.deepEqual([event.home, event.home_pid, event.reason, event.command], ['node1', pid, 'blocked', 'sleep 61']);
      break;
    }
    // An iteration ends with the connection.
    const rest = (async () => {
      for await (const event of other.events()) assert.ok(event);
      return 'over';
    })();
    other[Symbol.dispose]();
    assert.equal(await rest, 'over');
    writeFileSync(file, right);
    two.reload(2);
  });

  test('another user hears of own programs and of nodes only', {
    skip: process.getuid?.() !== 0 && 'only root can be somebody else',
  }, async () => {
    const socket = path.join(two.runtime(1), 'mosd.sock');
    const script = `require('node:http').get({socketPath:${JSON.stringify(socket)},path:'/v1/events',headers:{'last-event-id':'0'}},(a)=>a.setEncoding('utf8').on('data',(t)=>{process.stdout.write(t);setTimeout(()=>process.exit(),300)}))`;
    await two.launch(['sleep', '62']);
    const own = await two.launch(['sleep', '63'], 1, { uid: 65534, gid: 65534 });
    const { stdout } = await run(process.execPath, ['-e', script], { uid: 65534, gid: 65534 });
    const types = [...stdout.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? '') as Api.Event);
    const pids = types.flatMap((event) => ('pid' in event ? [event.pid] : []));
    assert.deepEqual(new Set(pids), new Set([own.pid]));
    assert.ok(types.some((event) => event.type === 'node-up'));
  });

  test('a stream goes on after Last-Event-ID, and ends when its signal fires', async () => {
    const last = heard.findLast((event) => event.type === 'process-started');
    assert.ok(last);
    const text = await new Promise<string>((resolve, reject) => {
      const headers = { 'last-event-id': last.id };
      const asked = request({ socketPath: path.join(two.runtime(1), 'mosd.sock'), path: '/v1/events', headers }, (answer) => {
        assert.equal(answer.headers['content-type'], 'text/event-stream');
        answer.setEncoding('utf8').once('data', (more: string) => {
          asked.destroy();
          resolve(more);
        });
      });
      asked.on('error', reject).end();
    });
    assert.match(text, /^id: [0-9a-f]{8}-\d+\n\n/);
    assert.ok(!text.includes(`"id":"${last.id}"`));
    listening.abort(new Error('enough'));
    assert.equal(((await over) as Error).message, 'enough');
  });
});
