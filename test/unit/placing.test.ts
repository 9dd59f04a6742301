/** What decides where processes run, with the numbers worked out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Candidate,
  type Case,
  type Need,
  ExpectedLoads,
  Links,
  Profile,
  RunnableMeter,
  bestOther,
  bestStart,
  decide,
  marginalCost,
  scaleOf,
  stretch,
  waitsPerCpuSecond,
} from '../../lib/placement/index.js';
import { randomFrom } from '../../simulate/random.js';
import { SimulatedClock } from '../../simulate/simulated-clock.js';

const link = { roundTripSeconds: 100e-6, bytesPerSecond: 100e6 };
const place = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  name,
  cpus: 1,
  speed: 10_000,
  runnable: 0,
  memoryBytes: 8e9,
  memoryFreeBytes: 8e9,
  link: name === 'home' ? null : link,
  excluded: null,
  ...more,
});
const need = (more: Partial<Need> = {}): Need => ({
  busy: 1,
  busyAtHome: 0,
  memoryBytes: 0,
  growthBytesPerSecond: 0,
  callsPerCpuSecond: 0,
  bytesPerCpuSecond: 0,
  ...more,
});
const decided = (more: Partial<Case>) =>
  decide({ need: need(), at: 'home', candidates: [], ageSeconds: 60, trigger: 'balance', random: () => 0, ...more });

test('a resource costs exponentially more the more of it is used', () => {
  // Two nodes, at most 4 threads a core: 2^((0+1)/4) - 2^(0/4), and 2^((3+1)/4) - 2^(3/4).
  const all = [place('home', { runnable: 3 }), place('b')];
  assert.equal(scaleOf(all, need()), 4);
  assert.ok(Math.abs(marginalCost(all[1] as Candidate, need(), 2, 4).cpu - (2 ** 0.25 - 1)) < 1e-12);
  assert.ok(Math.abs(marginalCost(all[0] as Candidate, need(), 2, 4).cpu - (2 - 2 ** 0.75)) < 1e-12);
  // Half of the memory is used, a quarter more would be: 2^(3/4) - 2^(1/2).
  const full = place('b', { memoryFreeBytes: 4e9 });
  assert.ok(Math.abs(marginalCost(full, need({ memoryBytes: 2e9 }), 2, 4).memory - (2 ** 0.75 - 2 ** 0.5)) < 1e-12);
});

test('a call that is carried out at home costs the way there and back, and what it carries', () => {
  const talks = need({ callsPerCpuSecond: 1000, bytesPerCpuSecond: 10e6 });
  assert.ok(Math.abs(waitsPerCpuSecond(place('b'), talks) - 0.2) < 1e-12);
  assert.equal(waitsPerCpuSecond(place('home'), talks), 0);
  assert.ok(Math.abs(stretch(place('b'), talks) - 1.2) < 1e-12);
  const cost = marginalCost(place('b'), talks, 2, 1);
  assert.ok(Math.abs(cost.waiting - (2 ** 1.2 - 2)) < 1e-12);
});

test('what is slower, or shared, takes as much longer', () => {
  assert.equal(stretch(place('b', { speed: 5000 }), need()), 2);
  assert.equal(stretch(place('b', { runnable: 3 }), need()), 4);
  assert.equal(stretch(place('b', { cpus: 8, runnable: 3 }), need()), 1);
});

test('one of two at home goes to a free node; one alone stays', () => {
  const free = [place('home', { runnable: 2 }), place('b')];
  assert.equal(decided({ candidates: free }).to, 'b');
  assert.equal(decided({ candidates: [place('home', { runnable: 1 }), place('b')] }).to, 'home');
});

test('of two at home and one there none moves: it would gain nothing', () => {
  const { to, reason } = decided({ candidates: [place('home', { runnable: 2 }), place('b', { runnable: 1 })] });
  assert.equal(to, 'home');
  assert.match(reason, /least where it is/);
});

test('a slower node is taken only when home is shared by more than it is slower', () => {
  const slow = (runnable: number) => decided({ candidates: [place('home', { runnable }), place('b', { speed: 5000 })] }).to;
  assert.equal(slow(2), 'home');
  assert.equal(slow(3), 'b');
});

test('one that calls much stays at home and goes back there; one that computes leaves', () => {
  const talks = need({ callsPerCpuSecond: 100_000 });
  const shared = [place('home', { runnable: 2 }), place('b')];
  assert.equal(decided({ need: talks, candidates: shared }).to, 'home');
  const there = [place('home'), place('b', { runnable: 1 })];
  assert.equal(decided({ need: talks, candidates: there, at: 'b' }).to, 'home');
  assert.equal(decided({ candidates: shared }).to, 'b');
});

test('what serves a process at home does not keep it from coming there', () => {
  const talks = need({ callsPerCpuSecond: 30_000, busyAtHome: 1 });
  const { candidates } = decided({
    need: talks,
    candidates: [place('home', { runnable: 2 }), place('b', { runnable: 1 })],
    at: 'b',
  });
  assert.equal(candidates[0]?.density, 1);
});

test('one that has lived too short for what its memory costs to move waits', () => {
  const big = { need: need({ memoryBytes: 4e9 }), candidates: [place('home', { runnable: 2 }), place('b')] };
  const young = decided({ ...big, ageSeconds: 10 });
  assert.equal(young.to, 'home');
  assert.match(young.reason, /moving costs more/);
  assert.equal(decided({ ...big, ageSeconds: 100 }).to, 'b');
});

test('one that sleeps is left alone', () => {
  const { to, reason } = decided({ need: need({ busy: 0.05 }), candidates: [place('home', { runnable: 9 }), place('b')] });
  assert.equal(to, 'home');
  assert.match(reason, /waits most of the time/);
});

test('a node without the memory, or excluded, is none to go to', () => {
  const big = need({ memoryBytes: 1e9, growthBytesPerSecond: 1e9 });
  const candidates = [
    place('home', { runnable: 9 }),
    place('small', { memoryFreeBytes: 1.5e9 }),
    place('blocked', { excluded: 'it is blocked for guests' }),
  ];
  const { to, reason, candidates: rows } = decided({ need: big, candidates });
  assert.equal(to, 'home');
  assert.match(reason, /no other node/);
  assert.match(rows[1]?.excluded ?? '', /only 1431 MB to spare/);
  assert.match(rows[2]?.excluded ?? '', /blocked/);
  // It grows fast, and is yet not expected to have more than twice as much soon.
  const large = place('large', { memoryBytes: 2.2e9, memoryFreeBytes: 2.1e9 });
  assert.equal(decided({ need: big, candidates: [place('home', { runnable: 15 }), large] }).to, 'large');
});

test('where memory runs out it moves though it is no faster', () => {
  const candidates = [place('home', { runnable: 1, memoryFreeBytes: 0 }), place('b', { runnable: 3 })];
  const { to, reason } = decided({ need: need({ memoryBytes: 1e9 }), candidates, trigger: 'memory', ageSeconds: 1 });
  assert.equal(to, 'b');
  assert.match(reason, /memory runs out on home/);
});

test('of nodes that are alike one is taken at random', () => {
  const candidates = [place('home', { runnable: 4 }), place('b'), place('c'), place('worse', { runnable: 2 })];
  const picked = [0, 0.49, 0.5, 0.99].map((value) => decided({ candidates, random: () => value }).to);
  assert.deepEqual(picked, ['b', 'b', 'c', 'c']);
});

test('of many nodes a few are compared, others each time, and whoever asks is told so', () => {
  const random = randomFrom(1);
  const others = Array.from({ length: 19 }, (_, index) => place(`n${index}`, { runnable: 1 }));
  const candidates = [place('home', { runnable: 8 }), ...others, place('best')];
  const decisions = Array.from({ length: 2000 }, () => decided({ candidates, random }));
  const share = decisions.filter(({ to }) => to === 'best').length / decisions.length;
  assert.ok(Math.abs(share - 4 / 20) < 0.03, `${share}`);
  for (const { to, candidates: rows } of decisions.slice(0, 20)) {
    const compared = rows.filter(({ node, excluded }) => node !== 'home' && excluded === null).map(({ node }) => node);
    assert.equal(compared.length, 4);
    assert.ok(compared.includes(to));
    assert.match(rows.find(({ node }) => node !== 'home' && !compared.includes(node))?.excluded ?? '', /not among the 4/);
  }
});

test('a program starts at home unless it is better elsewhere; one ordered out leaves in any case', () => {
  const options = { home: 'home', memoryBytes: 0, random: () => 0 };
  const out = { from: 'home', need: null, trigger: 'order' as const, random: () => 0 };
  assert.equal(bestStart([place('home'), place('b')], options).to, 'home');
  assert.equal(bestStart([place('home', { runnable: 1 }), place('b')], options).to, 'b');
  assert.equal(
    bestStart([place('home', { runnable: 1 }), place('b', { memoryFreeBytes: 1e6 })], { ...options, memoryBytes: 1e7 }).to,
    'home',
  );
  assert.equal(bestOther([place('home'), place('b', { runnable: 5 })], out).to, 'b');
  assert.equal(bestOther([place('home'), place('b', { excluded: 'it is down' })], out).to, 'home');
});

test('a profile counts only within one place, and forgets', () => {
  const profile = new Profile(0.5);
  const sample = { place: 'home', cpuSeconds: 0, runnable: 1, runnableAtHome: 1, memoryBytes: 1e6, calls: 0, bytes: 0 };
  profile.take({ ...sample, atSeconds: 0 }, null);
  profile.take({ ...sample, atSeconds: 1, cpuSeconds: 0.5, calls: 100, bytes: 1000 }, null);
  assert.equal(profile.need().callsPerCpuSecond, 200);
  assert.equal(profile.need().bytesPerCpuSecond, 2000);
  assert.deepEqual([profile.need().busy, profile.need().busyAtHome], [1, 0]);
  // Counters of another place say nothing when compared with those of this one.
  profile.take({ ...sample, place: 'b', atSeconds: 2, cpuSeconds: 9, calls: 9999 }, link);
  assert.equal(profile.need().callsPerCpuSecond, 200);
  // Away a call is waited for: 5000 in a second, 0.1 ms each. Of the time before, half counts.
  profile.take({ ...sample, place: 'b', atSeconds: 3, cpuSeconds: 9.5, calls: 14_999, runnable: 0 }, link);
  assert.ok(Math.abs(profile.need().busy - (0.5 + 0.5) / 1.5) < 1e-12);
  assert.ok(Math.abs(profile.need().busyAtHome - 1 / 1.5) < 1e-12);
  assert.ok(Math.abs(profile.need().callsPerCpuSecond - (50 + 5000) / (0.25 + 0.5)) < 1e-9);
});

test('one that begins something else is taken for what it does now', () => {
  const profile = new Profile();
  let [at, cpuSeconds, calls] = [0, 0, 0];
  const second = (more: { calls: number; runnable: number }): void => {
    at++;
    cpuSeconds += more.runnable;
    calls += more.calls;
    const counters = { atSeconds: at, cpuSeconds, calls, bytes: 0 };
    profile.take({ ...counters, place: 'home', runnable: more.runnable, runnableAtHome: 0, memoryBytes: 0 }, null);
  };
  for (let each = 0; each < 60; each++) second({ calls: 50, runnable: 1 });
  assert.equal(Math.round(profile.need().callsPerCpuSecond), 50);
  for (let each = 0; each < 3; each++) second({ calls: 500_000, runnable: 1 });
  assert.equal(Math.round(profile.need().callsPerCpuSecond), 500_000);
  for (let each = 0; each < 3; each++) second({ calls: 50, runnable: 1 });
  assert.equal(Math.round(profile.need().callsPerCpuSecond), 50);
  for (let each = 0; each < 3; each++) second({ calls: 0, runnable: 0 });
  assert.equal(profile.need().busy, 0);
});

test('memory that grows is seen to grow', () => {
  const profile = new Profile();
  const sample = { place: 'home', cpuSeconds: 0, runnable: 1, runnableAtHome: 0, calls: 0, bytes: 0 };
  profile.take({ ...sample, atSeconds: 0, memoryBytes: 1e6 }, null);
  profile.take({ ...sample, atSeconds: 2, memoryBytes: 5e6 }, null);
  assert.equal(profile.need().growthBytesPerSecond, 2e6);
  profile.take({ ...sample, atSeconds: 3, memoryBytes: 5e6 }, null);
  assert.equal(profile.need().growthBytesPerSecond, 0);
});

test('what has been sent counts until the news can hold it', () => {
  const clock = new SimulatedClock();
  const expected = new ExpectedLoads(clock);
  expected.moved('a', 'b', 1, 1e6);
  assert.deepEqual(expected.at('b', 0), { runnable: 1, memoryBytes: 1e6 });
  assert.deepEqual(expected.at('a', 0), { runnable: -1, memoryBytes: -1e6 });
  clock.runUntil(1);
  // News of now, measured over two seconds, hold half of it; news from before none.
  assert.equal(expected.at('b', 0).runnable, 0.5);
  assert.equal(expected.at('b', 1).runnable, 1);
  clock.runUntil(2);
  assert.equal(expected.at('b', 0).runnable, 0);
  assert.equal(expected.at('b', 1.5).runnable, 0.75);
  clock.runUntil(121);
  expected.sweep();
  assert.deepEqual(expected.at('b', 120), { runnable: 0, memoryBytes: 0 });
});

test('links are what was measured', () => {
  const links = new Links();
  assert.ok(links.linkTo('b').bytesPerSecond > 0);
  links.roundTrip('b', 50e-6);
  links.sent('b', 1000, 1);
  links.sent('b', 200e6, 1);
  assert.deepEqual(links.linkTo('b'), { roundTripSeconds: 50e-6, bytesPerSecond: 200e6 });
  links.sent('b', 100e6, 1);
  assert.ok(Math.abs(links.linkTo('b').bytesPerSecond - 170e6) < 1);
});

test('how many want to run is the mean of the last looks', () => {
  const clock = new SimulatedClock();
  let now = 4;
  const meter = new RunnableMeter(clock, () => now);
  meter.start();
  assert.equal(meter.mean, 4);
  now = 0;
  clock.runUntil(1);
  assert.ok(Math.abs(meter.mean - 4 / 3) < 1e-12);
  clock.runUntil(2);
  assert.equal(meter.mean, 0);
  meter.stop();
  now = 7;
  clock.runUntil(9);
  assert.equal(meter.mean, 0);
});
