import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { HistoryBook, Stays } from '../../lib/processes/index.js';
import type { Finder } from '../../lib/processes/whereabouts.js';
import { type Clock, systemClock } from '../../lib/shared/clock.js';
import { MosrunError } from '../../lib/shared/errors.js';
import type { SessionUsage as Whole } from '../../lib/shared/wire.js';

type SessionUsage = Pick<Whole, 'running' | 'cpu_seconds'>;

type Used = Pick<SessionUsage, 'running' | 'cpu_seconds'>;

const { pid } = process;

test('CPU time of stays adds up by node, also when nodes forget or cannot be asked', async () => {
  const history = new HistoryBook(mkdtempSync(path.join(tmpdir(), 'mosrun-unit-')));
  const answers = new Map<string, Used | MosrunError>();
  let at: { node: string; session: string } | null = null;
  const finder = {
    find: () => ({ node: at?.node ?? null, since: null, session: at?.session ?? null, inspection: null }),
  } as unknown as Finder;
  const askUsage = (_node: string, session: string): Promise<Used> => {
    const answer = answers.get(session) ?? new MosrunError('unreachable', 'gone');
    return answer instanceof MosrunError ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const clock: Clock = {
    ...systemClock,
    after: (_seconds, call) => {
      setImmediate(call);
      return () => {};
    },
  };
  const stays = new Stays({ history, finder, clock, askUsage });
  const go = async (node: string, session: string): Promise<void> => {
    at = { node, session };
    answers.set(session, { running: true, cpu_seconds: 0 });
    await stays.moved(pid);
  };

  await go('node2', 'a');
  answers.set('a', { running: true, cpu_seconds: 1 });
  assert.deepEqual(await stays.times(pid), [{ node: 'node2', cpu_seconds: 1, complete: true }]);
  answers.set('a', { running: false, cpu_seconds: 2.5 });
  await go('node2', 'b');
  answers.set('b', { running: true, cpu_seconds: 4 });
  assert.deepEqual(await stays.times(pid), [{ node: 'node2', cpu_seconds: 6.5, complete: true }]);

  // A move is told before the process is seen to be away: its stay counts all the same.
  at = null;
  await stays.moved(pid);
  at = { node: 'node2', session: 'late' };
  answers.set('b', { running: false, cpu_seconds: 4 });
  answers.set('late', { running: false, cpu_seconds: 0.5 });
  assert.deepEqual(await stays.times(pid), [{ node: 'node2', cpu_seconds: 7, complete: true }]);
  await go('node2', 'b2');
  answers.set('b2', { running: true, cpu_seconds: 0 });
  assert.deepEqual(await stays.times(pid), [{ node: 'node2', cpu_seconds: 7, complete: true }]);

  // What was heard last stands, and is marked.
  answers.set('b2', new MosrunError('unreachable', 'cut off'));
  assert.deepEqual(await stays.times(pid), [{ node: 'node2', cpu_seconds: 7, complete: false }]);
  answers.set('b2', new MosrunError('not-found', 'forgotten'));
  await go('node3', 'c');
  answers.set('c', { running: false, cpu_seconds: null });
  at = null;
  const expected = [
    { node: 'node2', cpu_seconds: 7, complete: false },
    { node: 'node3', cpu_seconds: 0, complete: false },
  ];
  assert.deepEqual(await stays.times(pid), expected);
  // All have ended: nobody is asked any more.
  answers.clear();
  assert.deepEqual(await stays.times(pid), expected);
});
