import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Board, type News } from '../../lib/cluster/index.js';
import { expectedAges, simulatedAges } from '../../simulate/ages.js';
import { stepsUntilKnown } from '../../simulate/deaths.js';
import { randomFrom } from '../../simulate/random.js';
import { SimulatedClock } from '../../simulate/simulated-clock.js';

describe('the board', () => {
  const board = (self: string, clock: SimulatedClock, others: string[], window = 16, isNear?: (node: string) => boolean) => {
    const made = new Board<string>({ self, clock, random: randomFrom(1), window, stepSeconds: 0.5, ...(isNear && { isNear }) });
    for (const other of others) made.meet(other);
    return made;
  };
  const entry = (one: Board<string>, node: string) => one.known().find((each) => each.node === node);
  const news = (node: string, ageSeconds: number, facts: string | null, gone: string | null = null): News<string> => ({
    node,
    ageSeconds,
    facts,
    gone,
  });

  void test('the younger of two news is believed, in whichever order they come', () => {
    const clock = new SimulatedClock();
    const one = board('a', clock, ['b']);
    assert.equal(entry(one, 'b')?.gone, 'not heard of yet');
    assert.deepEqual(one.hear([news('b', 2, 'old')]), ['b']);
    assert.deepEqual(one.hear([news('b', 1, 'new')]), []);
    assert.deepEqual(one.hear([news('b', 1.5, 'older')]), []);
    clock.runUntil(3);
    assert.deepEqual(entry(one, 'b'), { node: 'b', facts: 'new', gone: null, ageSeconds: 4 });
  });

  void test('news from the future, of too long ago, of no known node and of oneself are not believed', () => {
    const one = board('a', new SimulatedClock(), ['b']);
    one.refresh('mine');
    const before = one.known();
    one.hear([
      news('b', -0.1, 'x'),
      news('b', 1000, 'x'),
      news('b', Number.NaN, 'x'),
      news('c', 1, 'x'),
      news('a', 0, 'x', 'gone'),
    ]);
    assert.deepEqual(one.known(), before);
  });

  void test('a node that is lost is gone until it is heard of again', () => {
    const clock = new SimulatedClock();
    const one = board('a', clock, ['b']);
    one.hear([news('b', 0, 'x')]);
    clock.runUntil(1);
    one.lose('b', 'it does not answer');
    assert.deepEqual(one.hear([news('b', 0.5, 'before')]), []);
    assert.equal(entry(one, 'b')?.gone, 'it does not answer');
    clock.runUntil(2);
    assert.deepEqual(one.hear([news('b', 0.5, 'again')]), ['b']);
    assert.equal(entry(one, 'b')?.gone, null);
    clock.runUntil(30);
    assert.equal(entry(one, 'b')?.gone, 'not heard of for 29 s');
  });

  void test('a message holds the own entry, then deaths, as often as is useful, then the youngest', () => {
    const clock = new SimulatedClock();
    const names = Array.from({ length: 8 }, (_, number) => `n${number}`);
    const one = board('a', clock, names, 3);
    for (const [number, name] of names.entries()) one.hear([news(name, number, name)]);
    clock.runUntil(1);
    one.refresh('mine');
    assert.deepEqual(
      one.message().map(({ node }) => node),
      ['a', 'n0', 'n1'],
    );
    one.lose('n7', 'no answer');
    one.lose('n6', 'no answer');
    const heard = Array.from({ length: 6 }, () =>
      one
        .message()
        .map(({ node }) => node)
        .toSorted(),
    );
    // ⌊1.386 · log2 9⌋ = 4 times.
    assert.deepEqual(
      heard.slice(0, 4),
      Array.from({ length: 4 }, () => ['a', 'n6', 'n7']),
    );
    assert.deepEqual(heard[4]?.includes('a'), true);
    assert.equal(one.message().length, 3);
  });

  void test('the youngest news are of others, none of them gone, and as many as there are', () => {
    const clock = new SimulatedClock();
    const names = Array.from({ length: 300 }, (_, number) => `n${number}`);
    const one = board('a', clock, names);
    one.refresh('mine');
    clock.runUntil(1000);
    // In an order that is not that of their ages.
    for (const number of names.keys()) one.hear([news(`n${(number * 7) % 300}`, ((number * 7) % 300) / 1000, 'x')]);
    const found = (count: number) => one.youngest(count).map(({ node }) => node);
    assert.deepEqual(found(3), ['n0', 'n1', 'n2']);
    one.hear([news('n299', 0, 'again')]);
    one.forget('n0');
    assert.deepEqual(found(3), ['n299', 'n1', 'n2']);
    for (let number = 1; number <= 200; number++) one.lose(`n${number}`, 'no answer');
    assert.deepEqual(found(3), ['n299', 'n201', 'n202']);
    assert.equal(found(1000).length, 99);
  });

  void test('nodes of the own cluster are told more often, dead ones seldom, itself never', () => {
    const clock = new SimulatedClock();
    const names = Array.from({ length: 9 }, (_, number) => (number < 3 ? `near${number}` : `far${number}`));
    const one = board('near', clock, [...names, 'dead'], 4, (node) => node.startsWith('near'));
    one.refresh('mine');
    one.hear(names.map((name) => news(name, 0, name)));
    const told = Array.from({ length: 4000 }, () => one.target() ?? '');
    const share = (word: string): number => told.filter((node) => node.startsWith(word)).length / told.length;
    assert.ok(!told.includes('near'));
    assert.ok(Math.abs(share('dead') - 0.1) < 0.03, `dead ${share('dead')}`);
    assert.ok(Math.abs(share('near') - 0.9 * (0.5 + 0.5 / 3)) < 0.05, `near ${share('near')}`);
  });

  void test('nobody is told where there is nobody, and the dead where all are', () => {
    const clock = new SimulatedClock();
    assert.equal(board('a', clock, []).target(), null);
    assert.equal(board('a', clock, ['b']).target(), 'b');
  });

  for (const [nodes, window] of [
    [32, 8],
    [32, 16],
    [64, 8],
    [64, 16],
    [64, 32],
  ] as const)
    void test(`${nodes} nodes with windows of ${window}: mean age as computed, within 7 %`, () => {
      const found = simulatedAges({ nodes, window, seed: 1 }, 400);
      const expected = expectedAges(nodes, window);
      assert.ok(Math.abs(found.mean / expected.mean - 1) < 0.07, `${found.mean} instead of ${expected.mean}`);
      assert.ok(found.oldest < 1.5 * expected.oldest, `oldest ${found.oldest}, computed ${expected.oldest}`);
    });

  void test('what nodes of one cluster know of each other is younger than what they know of others', () => {
    const { mean, ownCluster } = simulatedAges({ nodes: 96, window: 16, seed: 1, clusters: 6 }, 100);
    assert.ok(ownCluster < 0.8 * mean, `${ownCluster} against ${mean}`);
  });

  void test('a death is known to 99 of 100 of 128 nodes within 2 log2 N + 3 steps', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const steps = stepsUntilKnown({ nodes: 128, window: 16, seed }, 0.99);
      assert.ok(steps <= 2 * 7 + 3, `seed ${seed}: ${steps} steps`);
    }
  });
});
