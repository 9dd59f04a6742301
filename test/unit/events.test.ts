import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBook } from '../../lib/daemon/event-book.js';
import { EventStreams } from '../../lib/daemon/event-stream.js';
import { type Caller, localCaller } from '../../lib/daemon/permission.js';
import { type Event, eventDocument } from '../../lib/shared/events.js';
import { ManualClock } from './manual-clock.js';

const root = localCaller({ uid: 0 });
const user = localCaller({ uid: 1000 });

function node() {
  const clock = new ManualClock();
  const book = new EventBook('node1', clock);
  const streams = new EventStreams(book, clock);
  const started = (pid: number, uid: number, command = 'a program'): void => {
    book.tell('process-started', { pid, uid, command, job: null, job_number: pid }, uid);
  };
  const reader = (caller: Caller, lastId?: string) => {
    const stream = streams.open(caller, lastId).getReader();
    const next = async (): Promise<Event[] | null> => {
      const { done, value } = await stream.read();
      if (done) return null;
      const lines = Buffer.from(value).toString().split('\n');
      return lines.flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as Event] : []));
    };
    return { next, cancel: () => stream.cancel() };
  };
  return { clock, book, streams, started, reader };
}

const pids = (events: Event[] | null): (number | string)[] =>
  (events ?? []).map((event) => (event.type === 'process-started' ? event.pid : event.type));

test('every event fits its published schema', async () => {
  const { started, reader } = node();
  started(1, 0);
  const [event] = (await reader(root, '0').next()) ?? [];
  assert.deepEqual(eventDocument.parse(event), event);
  assert.equal(event?.node, 'node1');
});

test('users see the events of nodes and of own processes, root and tools all', async () => {
  const { book, started, reader } = node();
  const tool: Caller = { name: 'tool', uid: null, operates: false, seesAll: true };
  started(1, 1000);
  started(2, 1001);
  book.tell('node-up', { name: 'node2', state: 'up', why: null }, 'everyone');
  book.tell('guest-left', { session: 's', home: 'node2', home_pid: 3, uid: 1000, command: 'c' }, null);
  assert.deepEqual(pids(await reader(user, '0').next()), [1, 'node-up']);
  assert.deepEqual(pids(await reader(root, '0').next()), [1, 2, 'node-up', 'guest-left']);
  assert.deepEqual(pids(await reader(tool, '0').next()), [1, 2, 'node-up', 'guest-left']);
});

test('a reader that comes back goes on where it was, and is told when that is forgotten or of another life', async () => {
  const { started, reader } = node();
  for (let pid = 1; pid <= 10; pid++) started(pid, 0);
  const first = (await reader(root, '0').next()) ?? [];
  assert.equal(first.length, 10);
  assert.deepEqual(pids(await reader(root, first[6]?.id).next()), [8, 9, 10]);
  assert.deepEqual(pids(await reader(root, '0123abcd-3').next()).slice(0, 2), ['events-missed', 1]);
  for (let pid = 11; pid <= 1034; pid++) started(pid, 0);
  const late = (await reader(root, first[6]?.id).next()) ?? [];
  assert.deepEqual(pids(late).slice(0, 2), ['events-missed', 11]);
  assert.equal(pids(await reader(root, '0').next())[0], 11, 'whoever wants the oldest has missed nothing');
  assert.deepEqual(pids(await reader(root, late[0]?.id).next())[0], 11, 'the place of what was missed is one to go on from');
  assert.deepEqual(await reader(root, `${late[0]?.id.split('-')[0]}-999999`).next(), []);
});

test('a stream without an id begins now, says something when nothing happens, and waits for the next event', async () => {
  const { clock, started, reader } = node();
  started(1, 0);
  const { next } = reader(root);
  assert.deepEqual(await next(), []);
  const idle = next();
  await new Promise(setImmediate);
  await clock.advance(15);
  assert.deepEqual(await idle, []);
  const waiting = next();
  started(2, 0);
  assert.deepEqual(pids(await waiting), [2]);
});

test('a stream that breaks before anything happens can be taken up again all the same', async () => {
  const { started, streams, reader } = node();
  started(1, 0);
  const stream = streams.open(root, undefined).getReader();
  const { value } = await stream.read();
  const [, id] = /^id: (.*)\n\n$/.exec(Buffer.from(value ?? []).toString()) ?? [];
  await stream.cancel();
  started(2, 0);
  assert.deepEqual(pids(await reader(root, id).next()), [2]);
});

test('a slow reader is dropped, with a last event that says so and where it can go on', async () => {
  const { started, reader } = node();
  const { next } = reader(root);
  assert.deepEqual(await next(), []);
  started(1, 0);
  const [got] = (await next()) ?? [];
  for (let pid = 2; pid < 2100; pid++) started(pid, 0);
  let last: Event | undefined;
  for (let some = await next(); some; some = await next()) last = some.at(-1);
  assert.equal(last?.type, 'stream-ended');
  assert.match(last?.type === 'stream-ended' ? last.message : '', /too slow/);
  assert.equal(last?.id, got?.id);
});

test('a long command line is cut, so that what is remembered stays small', async () => {
  const { started, reader } = node();
  started(1, 0, 'x'.repeat(2_000_000));
  const [event] = (await reader(root, '0').next()) ?? [];
  assert.equal(event?.type === 'process-started' && event.command.length, 4096);
});

test('a daemon that ends says so on every stream', async () => {
  const { clock, streams, reader } = node();
  const { next, cancel } = reader(user);
  const gone = reader(root);
  await next();
  await gone.cancel();
  const closed = streams.close('the daemon ends');
  assert.deepEqual(pids(await next()), ['stream-ended']);
  assert.equal(await next(), null);
  await clock.advance(1);
  await closed;
  await cancel();
});
