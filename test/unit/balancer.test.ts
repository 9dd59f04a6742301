/** What the balancer does about what it decides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeView } from '../../lib/cluster/index.js';
import { Balancer, RunnableMeter, type Resident, type Watched } from '../../lib/placement/index.js';
import { MosrunError } from '../../lib/shared/errors.js';
import type { Heartbeat } from '../../lib/shared/wire.js';
import { SimulatedClock } from '../../simulate/simulated-clock.js';

const GIGABYTE = 2 ** 30;

/** A home with processes that compute all the time, and one other node. */
class Home {
  readonly clock = new SimulatedClock();
  readonly residents = new Map<number, Resident>();
  readonly at = new Map<number, string>();
  readonly memory = new Map<number, (seconds: number) => number>();
  readonly orders: string[] = [];
  readonly asked: number[] = [];
  settings = { automatic: true, intervalSeconds: 1, residenceSeconds: 1 };
  sleeping = new Set<number>();
  free = { home: 8 * GIGABYTE, other: 8 * GIGABYTE };
  answer = (_pid: number): Promise<{ seconds: number }> => Promise.resolve({ seconds: 0.1 });
  readonly balancer: Balancer;
  private readonly meters: Record<'home' | 'other', RunnableMeter>;

  constructor(...pids: number[]) {
    for (const pid of pids) {
      this.residents.set(pid, { pid, stays: null, decay: null, pure: false, memoryBytes: 0 });
      this.at.set(pid, 'home');
    }
    const { clock } = this;
    const meter = (name: string): RunnableMeter => new RunnableMeter(clock, () => this.count(name));
    this.meters = { home: meter('home'), other: meter('other') };
    for (const one of Object.values(this.meters)) one.start();
    this.balancer = new Balancer({
      self: 'home',
      clock,
      random: () => 0.5,
      settings: () => this.settings,
      latest: () => [this.node('home'), this.node('other')],
      linkTo: () => ({ roundTripSeconds: 1e-4, bytesPerSecond: 1e8 }),
      residents: () => [...this.residents.values()],
      sample: async (all) => new Map(all.map((pid) => [pid, this.sample(pid)])),
      isMoving: () => false,
      lastResort: 'disk',
      move: async (pid, to, reason) => {
        const moved = await this.answer(pid);
        this.orders.push(`${pid} to ${to}: ${reason.split(':')[0]}`);
        this.at.set(pid, to);
        return moved;
      },
      log: () => {},
    });
  }

  private count(name: string): number {
    return [...this.at].filter(([pid, place]) => place === name && !this.sleeping.has(pid)).length;
  }

  private node(name: 'home' | 'other'): NodeView {
    const used = [...this.at].reduce((sum, [pid, place]) => sum + (place === name ? this.memoryOf(pid) : 0), 0);
    const facts = {
      protocol: 1,
      cpu_hash: '',
      cpus: 1,
      speed: 10_000,
      load: 0,
      runnable: this.meters[name].mean,
      memory_bytes: this.free[name],
      memory_free_bytes: Math.max(0, this.free[name] - used),
    } as Heartbeat;
    const address = { name, number: 1, address: '', controlPort: 0, dataPort: 0 };
    return { ...address, self: name === 'home', state: 'up', why: null, lastSeenSeconds: 0, facts };
  }

  private memoryOf(pid: number): number {
    return this.memory.get(pid)?.(this.clock.seconds()) ?? 1e6;
  }

  private sample(pid: number): Watched {
    this.asked.push(pid);
    const now = this.clock.seconds();
    const runs = !this.sleeping.has(pid);
    return {
      atSeconds: now,
      ageSeconds: now + 10,
      startTime: `${pid}`,
      place: this.at.get(pid) ?? 'home',
      cpuSeconds: runs ? now : 0,
      runnable: runs ? 1 : 0,
      runnableAtHome: 0,
      memoryBytes: this.memoryOf(pid),
      calls: 0,
      bytes: 0,
    };
  }

  async run(seconds: number): Promise<void> {
    this.balancer.start();
    await this.clock.settleUntil(this.clock.seconds() + seconds);
    this.balancer.stop();
  }
}

test('four on one node become two on each, and stay', async () => {
  const home = new Home(1, 2, 3, 4);
  await home.run(60);
  assert.deepEqual([...home.at.values()].toSorted(), ['home', 'home', 'other', 'other']);
  assert.equal(home.orders.length, 2);
  const moved = [...home.at].find(([, place]) => place === 'other')?.[0] ?? 0;
  const decisions = home.balancer.decisionsOf(moved);
  assert.deepEqual([decisions[0]?.to, decisions.at(-1)?.to], ['other', 'other']);
  assert.ok(decisions.length <= 8);
});

test('what stays is left, and so is all where placement is not automatic', async () => {
  const home = new Home(1, 2);
  for (const one of home.residents.values()) one.stays = 'it is locked (-L)';
  await home.run(10);
  assert.deepEqual(home.orders, []);
  for (const one of home.residents.values()) one.stays = null;
  home.settings = { ...home.settings, automatic: false };
  await home.run(10);
  assert.deepEqual(home.orders, []);
  home.settings = { ...home.settings, automatic: true };
  await home.run(10);
  assert.equal(home.orders.length, 1);
});

test('a move that fails is tried again, later each time; one that met somebody busy soon', async () => {
  const home = new Home(1, 2);
  const tries: number[] = [];
  home.residents.set(2, { pid: 2, stays: 'it is locked (-L)', decay: null, pure: false, memoryBytes: 0 });
  home.answer = () => {
    tries.push(home.clock.seconds());
    return Promise.reject(new MosrunError('cannot-move', 'it cannot'));
  };
  await home.run(100);
  const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  assert.equal(tries.length, 4, tries.join(', '));
  assert.ok(
    pauses.every((pause, index) => pause >= 10 * 2 ** index && pause < 10 * 2 ** index + 3),
    pauses.join(', '),
  );
  tries.length = 0;
  home.answer = () => {
    tries.push(home.clock.seconds());
    return tries.length < 4 ? Promise.reject(new MosrunError('busy', 'another comes')) : Promise.resolve({ seconds: 0.1 });
  };
  await home.run(100);
  assert.equal(tries.length, 4);
  assert.ok((tries[3] ?? 0) - (tries[0] ?? 0) < 8, tries.join(', '));
});

test('one that has moved stays for twice as long as that took', async () => {
  const home = new Home(1, 2, 3);
  home.answer = () => Promise.resolve({ seconds: 10 });
  await home.run(5);
  assert.equal(home.orders.length, 1);
  const moved = [...home.at].find(([, place]) => place === 'other')?.[0] ?? 0;
  // All others leave: where it came from there is more room now.
  home.at.set(90, 'other').set(91, 'other').set(92, 'other');
  for (const pid of [1, 2, 3]) if (pid !== moved) home.sleeping.add(pid);
  await home.run(10);
  assert.equal(home.orders.length, 1);
  await home.run(15);
  assert.match(home.orders[1] ?? '', new RegExp(`^${moved} to home`));
});

test('what grows goes where there is room before there is none', async () => {
  const home = new Home(1, 2);
  home.free = { home: 2 * GIGABYTE, other: 16 * GIGABYTE };
  home.sleeping.add(2);
  home.memory.set(1, (seconds) => 1e8 * seconds);
  home.memory.set(2, () => 1e8);
  await home.run(30);
  assert.deepEqual(home.orders, ['1 to other: memory']);
  const [decision] = home.balancer.decisionsOf(1);
  assert.ok(decision && decision.memory_bytes < 2 * GIGABYTE, `${decision?.memory_bytes}`);
});

test('where memory runs out away and no node has room it goes to disk', async () => {
  const home = new Home(1, 2);
  home.free = { home: 0.2 * GIGABYTE, other: 2 * GIGABYTE };
  home.at.set(1, 'other').set(2, 'other');
  home.sleeping.add(2);
  home.memory.set(1, (seconds) => 1e8 * seconds);
  home.memory.set(2, () => 1e8);
  await home.run(30);
  assert.equal(home.orders.at(-1), '1 to disk: memory');
  assert.ok(home.balancer.decisionsOf(1).some(({ reason }) => reason.endsWith('no node has room for it: it goes to disk')));
});

test('one that does nothing is asked about seldom, and soon again when it does something', async () => {
  const home = new Home(1);
  home.sleeping.add(1);
  await home.run(100);
  assert.ok(home.asked.length < 14, `${home.asked.length} times`);
  home.sleeping.delete(1);
  await home.run(20);
  home.asked.length = 0;
  await home.run(10);
  assert.ok(home.asked.length >= 8, `${home.asked.length} times`);
});

test('a number that is given to another process begins anew', async () => {
  const home = new Home(1, 2);
  await home.run(5);
  assert.ok(home.balancer.need(1));
  home.residents.delete(1);
  await home.run(2);
  assert.equal(home.balancer.need(1), null);
  assert.deepEqual(home.balancer.decisionsOf(1), []);
});

test('of many that do nothing not all are looked at at once, but each in its turn', async () => {
  const pids = Array.from({ length: 1000 }, (_, index) => index + 1);
  const home = new Home(...pids);
  for (const pid of pids) home.sleeping.add(pid);
  await home.run(40);
  home.asked.splice(0);
  let most = 0;
  for (let second = 0; second < 30; second++) {
    const before = home.asked.length;
    await home.run(2);
    most = Math.max(most, home.asked.length - before);
  }
  assert.ok(most <= 2 * 256, `${most} in two seconds`);
  assert.equal(new Set(home.asked).size, pids.length);
});
