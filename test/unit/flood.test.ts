/** Flood control: what is frozen and thawed, and why. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFreezeSettings } from '../../lib/daemon/freeze-settings.js';
import { type Flood, type FloodProcess, nextAction, whyNotHome } from '../../lib/placement/index.js';

const MB = 2 ** 20;

/** A home with these processes of one class, under the rules of a file. */
function home(rules: string, processes: Partial<FloodProcess>[], memory: { free?: number; now?: number } = {}): Flood {
  const { classes } = parseFreezeSettings(rules, '/etc/mosrun/freeze.toml');
  const usual = classes.get('default');
  assert.ok(usual);
  return {
    now: memory.now ?? 1000,
    classes,
    usual,
    processes: processes.map((one, index) => ({
      pid: index + 1,
      class: 'default',
      state: 'running',
      since: index,
      memoryBytes: 64 * MB,
      left: false,
      ...one,
    })),
    memoryFreeBytes: memory.free ?? 1000 * MB,
    reserveBytes: 64 * MB,
  };
}

/** Carries out what is said until nothing more is; no memory but the processes' own. */
function settle(flood: Flood, actions = 100): { flood: Flood; done: string[] } {
  const done: string[] = [];
  let present = flood;
  for (let each = 0; each < actions; each++) {
    const action = nextAction(present);
    if (!action) return { flood: present, done };
    done.push(`${action.what} ${action.pid}`);
    const one = present.processes.find(({ pid }) => pid === action.pid);
    assert.ok(one);
    const memoryFreeBytes = present.memoryFreeBytes + (action.what === 'freeze' ? one.memoryBytes : -one.memoryBytes);
    const state = action.what === 'freeze' ? 'waiting' : 'running';
    const processes = present.processes.map((other) =>
      other === one ? { ...one, state, since: present.now } : other,
    ) as FloodProcess[];
    present = { ...present, processes, memoryFreeBytes };
  }
  return { flood: present, done };
}

describe('flood control', () => {
  void test('without marks nothing is frozen while there is memory', () => {
    assert.equal(nextAction(home('', [{}, {}, {}])), null);
  });

  void test('above the red mark those that have run longest are frozen, and the least number stays', () => {
    assert.deepEqual(settle(home('[class.default]\nred = 2\nblue = 1', [{}, {}, {}, {}])).done, ['freeze 1', 'freeze 2']);
    assert.deepEqual(settle(home('[class.default]\nred = 1\nminimum = 3\nblue = 1', [{}, {}, {}, {}])).done, ['freeze 1']);
  });

  void test('below the blue mark those that have waited longest are thawed, as far as there is memory', () => {
    const waiting = [
      { state: 'waiting', since: 5 },
      { state: 'waiting', since: 3 },
      { state: 'waiting', since: 4 },
    ] as const;
    assert.deepEqual(settle(home('[class.default]\nred = 3\nblue = 2', [...waiting])).done, ['thaw 2', 'thaw 3']);
    assert.deepEqual(settle(home('', [...waiting], { free: 64 * MB + 130 * MB })).done, ['thaw 2', 'thaw 3']);
    assert.equal(nextAction(home('', [...waiting], { free: 100 * MB })), null);
  });

  void test('where memory is short the largest goes, unless its class is spared or it is the last', () => {
    const some = [{ memoryBytes: 10 * MB }, { memoryBytes: 300 * MB }, { memoryBytes: 20 * MB }];
    assert.deepEqual(nextAction(home('', some, { free: 30 * MB })), {
      what: 'freeze',
      pid: 2,
      reason: 'only 30 MB of memory are free',
    });
    assert.equal(nextAction(home('[class.default]\nmemory = false', some, { free: 30 * MB })), null);
    assert.equal(nextAction(home('', [{}], { free: 30 * MB })), null);
  });

  void test('who has run for a slice gives way to who waits, and each has its turn', () => {
    const rules = '[class.default]\nslice_minutes = 1\nminimum = 0';
    const all: Partial<FloodProcess>[] = Array.from({ length: 6 }, (_, index) => ({ state: index < 2 ? 'running' : 'waiting' }));
    let flood = home(rules, all, { free: 64 * MB, now: 10 });
    assert.equal(nextAction(flood), null, 'nobody has run for a slice');
    const ran = new Set<number>();
    for (let minute = 1; minute <= 6; minute++) {
      flood = settle({ ...flood, now: flood.now + 61 }, 4).flood;
      const running = flood.processes.filter(({ state }) => state === 'running');
      assert.ok(running.length <= 2, 'no more than there is memory for');
      for (const { pid } of running) ran.add(pid);
    }
    assert.deepEqual(
      [...ran].toSorted((one, other) => one - other),
      [1, 2, 3, 4, 5, 6],
    );
  });

  void test('what has failed is left alone for a while', () => {
    assert.equal(nextAction(home('[class.default]\nred = 1\nblue = 1', [{ left: true }, { left: true }])), null);
  });

  void test('classes have rules of their own', () => {
    const rules = '[class.batch]\nred = 1\nblue = 1';
    const all: Partial<FloodProcess>[] = [{}, {}, { class: 'batch' }, { class: 'batch' }, { class: 'unknown' }];
    assert.deepEqual(settle(home(rules, all)).done, ['freeze 3']);
  });

  void test('who comes home stays frozen where there is no room', () => {
    assert.equal(whyNotHome(home('', [{}]), 'default', 100 * MB), null);
    assert.match(whyNotHome(home('', [{}], { free: 100 * MB }), 'default', 64 * MB) ?? '', /100 MB of memory are free/);
    assert.match(whyNotHome(home('[class.default]\nreturning = 1', [{}]), 'default', MB) ?? '', /1 of class default run there/);
  });

  void test('a file that is wrong is told of with its line', () => {
    const wrong = (text: string) => () => parseFreezeSettings(text, 'freeze.toml');
    assert.throws(wrong('[class.default]\nred = 1\nblue = 2'), /freeze.toml:3: class.default.blue: above it processes would be/);
    assert.throws(wrong('[class.default]\nred = -1'), /freeze.toml:2: class.default.red/);
    assert.throws(wrong('[class."a b"]'), /freeze.toml.*class/);
    assert.throws(wrong('color = 1'), /freeze.toml:1: color/);
  });
});
