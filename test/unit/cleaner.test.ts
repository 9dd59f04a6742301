import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Glance } from '../../lib/engine/index.js';
import { Cleaner, type Job } from '../../lib/processes/index.js';
import { ManualClock } from './manual-clock.js';

function node() {
  const clock = new ManualClock();
  const states = new Map<number, Glance['state'] | null>();
  const cleaned: number[] = [];
  const moving = new Set<number>();
  const looks: number[] = [];
  let works = true;
  let milliseconds = 0;
  let spent = 0;
  let usage = Number.NaN;
  let letter = 'S';
  const job = { number: 1 } as Job;
  const cleaner = new Cleaner({
    clock,
    jobs: {
      all: () => [job],
      jobOf: () => job,
      refresh: () => {},
      usageOf: () => usage,
      lastProcesses: () => [...states.keys()],
    },
    look: (pid) => {
      looks.push(pid);
      spent += milliseconds / 1000;
      const state = states.get(pid);
      return state ? { state, letter, tracer: 0 } : null;
    },
    isMoving: (pid) => moving.has(pid),
    onLook: () => {},
    clean: (pid) => {
      cleaned.push(pid);
      if (works) states.set(pid, null);
      return works ? Promise.resolve(true) : Promise.reject(new Error('busy'));
    },
    tidy: () => {},
    spent: () => ({ seconds: spent, cpuSeconds: spent }),
  });
  return {
    clock,
    states,
    cleaned,
    moving,
    looks,
    cleaner,
    failing: (yes: boolean) => (works = !yes),
    used: (microseconds: number) => (usage = microseconds),
    letter: (is: string) => (letter = is),
    slow: (each: number) => (milliseconds = each),
  };
}

test('what came home by itself is cleaned after a second or two; what is away or moving is left alone', async () => {
  const { clock, states, cleaned, moving, cleaner, looks } = node();
  states.set(1, 'away').set(2, null);
  moving.add(1);
  cleaner.watch(1);
  await clock.advance(1);
  states.set(1, 'home');
  await clock.advance(1);
  await clock.advance(1);
  assert.deepEqual(cleaned, [], 'its mover is still at work');
  moving.delete(1);
  states.set(3, 'away');
  await clock.advance(1);
  await clock.advance(1);
  assert.deepEqual(cleaned, [1]);
  // A child born away.
  states.set(3, 'home');
  await clock.advance(1);
  await clock.advance(1);
  assert.deepEqual(cleaned, [1, 3]);
  await clock.advance(1);
  const before = looks.length;
  await clock.advance(10);
  assert.equal(looks.length, before, 'a job that is clean is not looked into');
});

test('what cannot be cleaned is tried again, also by a daemon that has just started', async () => {
  const { clock, states, cleaned, cleaner, failing } = node();
  failing(true);
  states.set(1, 'home');
  cleaner.start();
  await clock.advance(1);
  await clock.advance(1);
  failing(false);
  await clock.advance(1);
  assert.deepEqual(cleaned, [1, 1, 1]);
});

test('looks that take long come less often', async () => {
  const { clock, states, cleaner, looks, slow } = node();
  states.set(1, 'away');
  slow(60);
  cleaner.watch(1);
  await clock.advance(1);
  assert.equal(looks.length, 1);
  await clock.advance(2);
  assert.equal(looks.length, 1, '60 ms are a fortieth of 2.4 s');
  slow(0);
  await clock.advance(2);
  assert.ok(looks.length >= 2);
});

test('one that does nothing at home is looked into once a minute, and at once when it has done something', async () => {
  const { clock, states, cleaned, looks, cleaner, used } = node();
  states.set(1, 'away');
  used(100);
  cleaner.watch(1);
  await clock.advance(10);
  assert.deepEqual(looks, [1]);
  await clock.advance(60);
  assert.deepEqual(looks, [1, 1]);
  states.set(1, 'home');
  used(101);
  for (let second = 0; second < 3; second++) await clock.advance(1);
  assert.deepEqual(cleaned, [1]);
});

test('one that is stopped is looked into again and again: its guest has to be told', async () => {
  const { clock, states, looks, cleaner, used, letter } = node();
  states.set(1, 'away');
  letter('T');
  used(100);
  cleaner.watch(1);
  for (let second = 0; second < 5; second++) await clock.advance(1);
  assert.equal(looks.length, 5);
});
