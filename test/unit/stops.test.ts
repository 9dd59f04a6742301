import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Glance } from '../../lib/engine/index.js';
import { Stops } from '../../lib/processes/index.js';

const glance = (state: Glance['state'], letter: string): Glance => ({ state, letter, tracer: 0 });

for (const leads of [true, false])
  test(`the guest of a stopped process ${leads ? '' : 'whose first thread has ended '}is told at every look, that it goes on only once`, () => {
    const told: [number, boolean][] = [];
    let isStopped = false;
    let works = true;
    const stops = new Stops({
      isStopped: () => isStopped && !leads,
      tell: (pid, stopped) => {
        told.push([pid, stopped]);
        return works;
      },
    });
    const looks = (...expected: boolean[]): void => {
      told.length = 0;
      stops.look(1, glance('away', leads ? (isStopped ? 'T' : 'S') : 'Z'));
      assert.deepEqual(
        told.map(([, stopped]) => stopped),
        expected,
      );
    };
    looks(false); // what an earlier life of the daemon told is not known
    looks();
    isStopped = true;
    looks(true);
    looks(true);
    isStopped = false;
    works = false;
    looks(false);
    works = true;
    looks(false);
    looks();
    isStopped = true;
    stops.look(1, glance('home', 'T'));
    assert.deepEqual(told, [], 'at home the kernel stops it');
    isStopped = false;
    looks(false);
  });
