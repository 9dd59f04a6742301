import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobOptions } from '../../lib/daemon/launch-server.js';
import type { Launch } from '../../lib/shared/launch-decision.js';
import { goFrame, readLaunch, takeFrame } from '../../lib/shared/launch-frames.js';

const strings = (...words: string[]): Buffer => {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(words.length);
  return Buffer.concat([count, ...words.map((word) => Buffer.from(`${word}\0`, 'latin1'))]);
};

test("a launcher's request is read byte for byte", () => {
  const odd = 'caf\xe9';
  const body = Buffer.concat([Buffer.from([1, 0]), strings('mosrun', odd, ''), Buffer.from('/tmp\0'), strings('MOSRUN_A=b=c')]);
  assert.deepEqual(readLaunch(body), {
    version: 1,
    argv: ['mosrun', odd, ''],
    directory: '/tmp',
    environment: { MOSRUN_A: 'b=c' },
  });
  for (let length = 0; length < body.length; length++) assert.throws(() => readLaunch(body.subarray(0, length)), RangeError);
});

test('frames are cut where they end', () => {
  const frame = goFrame({ programIndex: 3, argumentsStartAtName: true, environment: { A: '1' } });
  assert.equal(takeFrame(frame.subarray(0, frame.length - 1)), null);
  const whole = takeFrame(Buffer.concat([frame, Buffer.from('more')]));
  assert.equal(whole?.type, 'G');
  assert.deepEqual(whole.body, Buffer.from([3, 0, 0, 0, 1, 1, 0, 0, 0, 65, 61, 49, 0]));
  assert.throws(() => takeFrame(Buffer.from([255, 255, 255, 255, 76])), RangeError);
});

test('an inner mosrun keeps what the outer one was told', () => {
  const launch: Launch = {
    start: { at: 'home' },
    fallBack: false,
    locked: null,
    clock: null,
    unserved: null,
    readAhead: null,
    writeBehind: null,
    awake: null,
    lazy: null,
    decay: null,
    pure: null,
    memoryBytes: null,
    abroad: null,
    freezingClass: null,
    jobId: null,
    programIndex: 1,
    argumentsStartAtName: false,
    environment: {},
  };
  const outer = {
    id: 'a',
    locked: true,
    clock: 'host' as const,
    unserved: 'warn' as const,
    read_ahead: false,
    write_behind: true,
    awake: true,
    lazy: false,
    decay: 0.5,
    pure: true,
    freezing_class: 'night',
    memory_bytes: 5,
    abroad: true,
  };
  assert.deepEqual(jobOptions(launch, outer), outer);
  assert.deepEqual(jobOptions(launch, null), {
    id: null,
    locked: false,
    clock: 'home',
    unserved: 'home',
    read_ahead: true,
    write_behind: true,
    awake: true,
    lazy: false,
    decay: null,
    pure: false,
    freezing_class: null,
    memory_bytes: 0,
    abroad: false,
  });
  const inner = jobOptions(
    {
      ...launch,
      jobId: 'b',
      locked: false,
      clock: 'home',
      unserved: 'home',
      readAhead: true,
      writeBehind: false,
      awake: false,
      lazy: true,
    },
    outer,
  );
  assert.deepEqual(inner, {
    ...outer,
    id: 'b',
    locked: false,
    clock: 'home',
    unserved: 'home',
    read_ahead: true,
    write_behind: false,
    awake: false,
    lazy: true,
  });
  assert.equal(jobOptions(launch, null, { read_ahead: false, write_behind: true, awake: true, lazy: false }).read_ahead, false);
});
