import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Engine, MoveDone, MoveEvent, MoveFailed, MoveOrder } from '../../lib/engine/index.js';
import { AwayFiles, Finder, HistoryBook, Migrations, MoverRecords, identityOf } from '../../lib/processes/index.js';
import { nextState } from '../../lib/processes/migration-state.js';
import { makeDirectory, writeAtomically } from '../../lib/shared/files.js';
import { MosrunError } from '../../lib/shared/errors.js';
import { ManualClock } from './manual-clock.js';

// The test's own process stands for the one that is moved: it is there, and has a start time.
const { pid } = process;

function node() {
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-unit-'));
  for (const name of ['away', 'history', 'movers']) makeDirectory(path.join(directory, name));
  const orders: MoveOrder[] = [];
  const killed: number[] = [];
  let stopped = false;
  const dropped: string[] = [];
  const asked: string[] = [];
  const started: string[] = [];
  const clock = new ManualClock();
  let follow: (order: MoveOrder, onEvent: (event: MoveEvent) => void) => Promise<MoveDone | MoveFailed>;
  const setAway = (where: string | null): void => {
    const file = path.join(directory, 'away', `${pid}.json`);
    if (where === null) rmSync(file, { force: true });
    else {
      const rest = { version: 1, session: 's', node: where, address: 'a', port: 1, control: '0x0', since: 5 };
      writeAtomically(file, JSON.stringify({ ...identityOf(pid), ...rest }));
    }
  };
  const done = (order: MoveOrder): MoveDone => {
    setAway(order.kind === 'home' ? null : order.node);
    const facts = { freeze_seconds: 0.25, total_seconds: 1, bytes: 100, pages: 2, threads: 3 };
    return { event: 'done', pid, from: '', to: '', ...facts };
  };
  follow = (order) => Promise.resolve(done(order));
  const engine: Engine = {
    startMover: (order) => {
      orders.push(order);
      return Promise.resolve(process.ppid);
    },
    followMover: (_mover, _output, onEvent) => follow(orders.at(-1) as MoveOrder, onEvent),
    findMover: () => process.ppid,
    explain: () => Promise.resolve(null),
    link: () => Promise.resolve(),
    clean: (one) => clean(one),
  };
  const history = new HistoryBook(path.join(directory, 'history'));
  const records = new MoverRecords(path.join(directory, 'movers'));
  let clean = (_pid: number): Promise<boolean> => Promise.resolve(true);
  let ask = (_to: string): Promise<void> => Promise.resolve();
  const make = () =>
    new Migrations({
      self: 'node1',
      engine,
      history,
      records,
      clock,
      finder: new Finder({ away: new AwayFiles(path.join(directory, 'away')), inspect: () => null, nodeAt: () => null }),
      askSession: async (to) => {
        await ask(to);
        return { session: 'aa', token: 'bb', address: '10.0.0.2', port: 7071, seal: 0, ordinary: false };
      },
      askOnward: async (from, session, to) => {
        asked.push(`${from} ${session} ${to}`);
        await ask(to);
        return { session: 'cc', token: 'dd', address: '10.0.0.3', port: 7071, seal: 0, ordinary: false, memory: 7 };
      },
      dropSession: (to, session) => dropped.push(`${to} ${session}`),
      settings: () => ({ timeoutSeconds: 30, graceSeconds: 5, compress: true, keep: true }),
      kill: (one) => killed.push(one),
      isStopped: () => stopped,
      onStart: (_pid, from, to, reason) => started.push(`${from} ${to} ${reason}`),
      onLeaving: () => {},
      log: () => {},
    });
  return {
    migrations: make(),
    make,
    orders,
    history,
    records,
    clock,
    killed,
    dropped,
    asked,
    started,
    done,
    setAway,
    stop: (is: boolean) => (stopped = is),
    askWith: (next: typeof ask) => (ask = next),
    cleanWith: (next: typeof clean) => (clean = next),
    followWith: (next: typeof follow) => (follow = next),
    clean: () => {
      rmSync(directory, { recursive: true });
    },
  };
}

test('out, on to another node, and home', async () => {
  const { migrations, orders, history, asked, clean } = node();
  const out = await migrations.order(
    pid,
    'node2',
    { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
    'test',
  );
  assert.deepEqual([out.from, out.to, out.freeze_seconds], ['node1', 'node2', 0.25]);
  const on = await migrations.order(
    pid,
    'node3',
    { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
    'test',
  );
  assert.deepEqual([on.from, on.to, on.freeze_seconds, on.bytes, on.threads], ['node2', 'node3', 0.25, 100, 3]);
  assert.deepEqual(asked, ['node2 s node3']);
  const home = await migrations.order(
    pid,
    'node1',
    { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
    'test',
  );
  assert.deepEqual([home.from, home.to, home.moved], ['node3', 'node1', true]);
  assert.equal(
    (
      await migrations.order(
        pid,
        'node1',
        { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
        'test',
      )
    ).moved,
    false,
  );
  assert.deepEqual(
    orders.map((order) => order.kind),
    ['out', 'on', 'home'],
  );
  const record = history.read(pid);
  assert.deepEqual(
    [record?.migrations, record?.entries.map((entry) => `${entry.from}>${entry.to}`)],
    [3, ['node1>node2', 'node2>node3', 'node3>node1']],
  );
  clean();
});

test('a refusal comes before anything is touched, and is kept', async () => {
  const { migrations, orders, history, askWith, clean } = node();
  askWith(() => Promise.reject(new MosrunError('refused', 'node2 is full')));
  await assert.rejects(
    migrations.order(
      pid,
      'node2',
      { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
      'test',
    ),
    {
      code: 'refused',
      message: 'node2 is full',
    },
  );
  assert.deepEqual([orders.length, history.read(pid)?.last_failure, migrations.isMoving(pid)], [0, 'node2 is full', false]);
  clean();
});

test('one that is stopped while away is refused at once, and goes when it goes on', async () => {
  const { migrations, orders, history, asked, stop, clean } = node();
  const order = (to: string) =>
    migrations.order(
      pid,
      to,
      { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
      'test',
    );
  await order('node2');
  stop(true);
  for (const to of ['node3', 'node1']) {
    await assert.rejects(order(to), { code: 'cannot-move', message: /it is stopped: let it go on first/ });
    assert.deepEqual([history.read(pid)?.entries.at(-1)?.to, migrations.isMoving(pid)], [to, false]);
  }
  assert.deepEqual([orders.length, asked], [1, []]);
  stop(false);
  assert.equal((await order('node1')).moved, true);
  clean();
});

test('a mover that finds the process busy is started again, up to five times, and only the outcome is kept', async () => {
  const { migrations, orders, history, dropped, clock, followWith, done, clean } = node();
  let busy = 3;
  followWith((order) =>
    busy-- > 0
      ? Promise.resolve({ event: 'failed', code: 'busy', message: 'it started threads meanwhile' })
      : Promise.resolve(done(order)),
  );
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 8; turn++) {
      await new Promise(setImmediate);
      await clock.advance(0.9);
    }
  };
  const out = migrations.order(
    pid,
    'node2',
    { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
    'test',
  );
  await settle();
  assert.equal((await out).moved, true);
  assert.deepEqual([orders.length, history.read(pid)?.entries.length, dropped.length], [4, 1, 3]);
  busy = Infinity;
  const home = migrations
    .order(
      pid,
      'node1',
      { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
      'test',
    )
    .catch((error: unknown) => error);
  await settle();
  assert.deepEqual([((await home) as MosrunError).code, orders.length, history.read(pid)?.entries.length], ['busy', 10, 2]);
  clean();
});

test('no process is cleaned while it moves, and an order waits until it is clean', async () => {
  const { migrations, orders, cleanWith, followWith, done, clean } = node();
  let finish = (_clean: boolean): void => {};
  cleanWith(() => new Promise((resolve) => (finish = resolve)));
  const cleaning = migrations.clean(pid);
  await new Promise(setImmediate);
  assert.equal(await migrations.clean(pid), false, 'once at a time');
  const out = migrations.order(
    pid,
    'node2',
    { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
    'test',
  );
  await new Promise(setImmediate);
  assert.equal(orders.length, 0);
  let arrive = (): void => {};
  followWith((order) => new Promise((resolve) => (arrive = () => resolve(done(order)))));
  finish(true);
  assert.equal(await cleaning, true);
  await new Promise(setImmediate);
  assert.equal(orders.length, 1);
  assert.equal(await migrations.clean(pid), false, 'it is moving');
  arrive();
  assert.equal((await out).moved, true);
  clean();
});

test('one at a time for each process', async () => {
  const { migrations, followWith, done, clean } = node();
  let finish = (): void => {};
  followWith(
    (order, onEvent) =>
      new Promise((resolve) => {
        onEvent({ event: 'phase', at: 0, phase: 'stopped' });
        finish = () => {
          resolve(done(order));
        };
      }),
  );
  const first = migrations.order(
    pid,
    'node2',
    { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
    'test',
  );
  await new Promise(setImmediate);
  await assert.rejects(
    migrations.order(
      pid,
      'home',
      { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
      'test',
    ),
    {
      code: 'busy',
      message: /is being moved already: wait/,
    },
  );
  assert.equal(migrations.isMoving(pid), true);
  finish();
  await first;
  assert.equal(migrations.isMoving(pid), false);
  clean();
});

test('a mover that outlives its bound is killed', async () => {
  const { migrations, followWith, clock, killed, dropped, clean } = node();
  let fail = (): void => {};
  followWith(
    () =>
      new Promise((resolve) => {
        fail = () => {
          resolve({ event: 'failed', code: 'failed', message: 'the mover ended without a result' });
        };
      }),
  );
  const order = migrations.order(
    pid,
    'node2',
    { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
    'test',
  );
  await new Promise(setImmediate);
  await clock.advance(34);
  assert.deepEqual(killed, []);
  await clock.advance(2);
  assert.deepEqual(killed, [process.ppid]);
  fail();
  await assert.rejects(order, { code: 'timeout', message: /^moving process \d+ from node1 to node2 took longer than 35 s/ });
  assert.deepEqual(dropped, ['node2 aa'], 'the destination is told that nobody comes');
  clean();
});

test('a mover of an earlier life is followed to its end', async () => {
  const { make, followWith, done, records, history, setAway, clean } = node();
  setAway('node2');
  const present = identityOf(pid);
  assert.ok(present);
  records.write({
    version: 1,
    ...present,
    mover_pid: process.ppid,
    kind: 'home',
    from: 'node2',
    to: 'node1',
    reason: 'test',
    began: 1,
  });
  followWith(() => Promise.resolve(done({ kind: 'home', pid, reason: '', timeoutSeconds: 1 })));
  const restarted = make();
  restarted.restore();
  assert.equal(restarted.isMoving(pid), true);
  await new Promise(setImmediate);
  assert.deepEqual([restarted.isMoving(pid), restarted.whereIs(pid), history.read(pid)?.migrations], [false, 'node1', 1]);
  assert.deepEqual(records.all(), []);
  clean();
});

test('a start away waits until the mover holds the launcher', async () => {
  const { migrations, followWith, done, orders, history, clean } = node();
  followWith((order, onEvent) => {
    onEvent({ event: 'armed' });
    return Promise.resolve(done(order));
  });
  const start = migrations.startAway(
    pid,
    'node2',
    { clock: 'host', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
    'the program',
  );
  await start.armed;
  await start.over;
  const [order] = orders;
  assert.ok(order?.kind === 'out' && order.atExec && order.clock === 'host');
  assert.equal(history.read(pid)?.command, 'the program');
  followWith(() => Promise.resolve({ event: 'failed', code: 'unreachable', message: 'node2 does not answer' }));
  migrations.whereIs(pid);
  await assert.rejects(
    migrations.startAway(
      pid,
      'node2',
      { clock: 'home', unserved: 'home', read_ahead: true, write_behind: true, awake: true, lazy: false },
      'x',
    ).armed,
    {
      code: 'unreachable',
    },
  );
  clean();
});

test('a transition that cannot be is a fault, not ignored', () => {
  assert.equal(nextState('asking', 'admitted'), 'leaving');
  assert.throws(() => nextState('idle', 'moved'));
  assert.throws(() => nextState('returning', 'ordered-out'));
});
