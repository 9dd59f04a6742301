import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import {
  type Datagram,
  type Received,
  GossipMembership,
  type NodeView,
  LONGEST_DATAGRAM_BYTES,
  MOST_ENTRIES,
  decodeDatagram,
  encodeDatagram,
} from '../../lib/cluster/index.js';
import type { Heartbeat } from '../../lib/shared/wire.js';
import { addressOf, heartbeatOf } from '../../simulate/made-up.js';
import { randomFrom } from '../../simulate/random.js';
import { SimulatedClock } from '../../simulate/simulated-clock.js';
import type { Clock } from '../../lib/shared/clock.js';

const none = (bytes: Buffer): Buffer => Buffer.alloc(64, bytes.length);
const news: Datagram = {
  kind: 'news',
  from: 1,
  to: 2,
  life: 1_795_951_140_000,
  sequence: 99,
  news: [
    { node: '1', ageSeconds: 0, facts: { ...heartbeatOf(1), node: '1' }, gone: null },
    { node: '3', ageSeconds: 1.25, facts: { ...heartbeatOf(3, { state: 'blocked', runnable: null }), node: '3' }, gone: null },
    { node: '4', ageSeconds: 100, facts: null, gone: 'it was shut down' },
  ],
};

test('a datagram says what was put in, and fits into a packet', () => {
  const { signed, signature, ...read } = decodeDatagram(encodeDatagram(news, none)) as Received;
  assert.deepEqual(read, news);
  assert.deepEqual([signature, none(signed)], [none(signed), signature]);
  const part = { ...heartbeatOf(1, { cpus: 0.6, load: 0.1, runnable: 1.3 }), node: '1' };
  const parts = [{ node: '1', ageSeconds: 0, facts: part, gone: null }];
  assert.deepEqual(decodeDatagram(encodeDatagram({ ...news, news: parts }, none))?.news, parts);
  const many = Array.from({ length: 100 }, (_, index) => ({ ...news.news[0], node: `${index + 1}` }) as Datagram['news'][number]);
  const full = encodeDatagram({ ...news, news: many }, none);
  assert.ok(full.length <= LONGEST_DATAGRAM_BYTES);
  assert.equal(decodeDatagram(full)?.news.length, MOST_ENTRIES);
  const odd = { ...news, news: [{ node: '5', ageSeconds: 1, facts: null, gone: 'connect ECONNREFUSED' }] };
  assert.equal(decodeDatagram(encodeDatagram(odd, none))?.news[0]?.gone, 'it gives no sign of life');
});

/** What the version before wrote that told neither swap space nor frozen processes, nor its clock: news of nodes 1 and 3, and that news were heard. */
const EARLIER_NEWS = [
  'TU9TRwEBUAABAAIAoJwHJ6IBAABjAAAAAgABAAMAAAAAAAMBI0VniavN7wEjRWeJq83vASNFZ4mrze8AAIBAAADAPwAAIEAAoAxG',
  'AACAUAAAAFAHAAAADAAAAAYAEgAFAAABAAAAAAAAAAMACQDiBAAAAwEjRWeJq83vASNFZ4mrze8BI0VniavN7wAAgEAAAMA/AAAA',
  'AACgDEYAAIBQAAAAUAcAAAAMAAAABgASAAUAAAEAAAAAAAAAurq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6',
  'urq6urq6urq6urq6urq6urq6urq6urq6ug==',
].join('');
const EARLIER_HEARD = [
  'TU9TRwECUAABAAIAoJwHJ6IBAABkAAAAAAAaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoa',
  'GhoaGhoaGhoaGhoaGhoa',
].join('');

test('swap space and frozen processes are told as they are, or nearly', () => {
  const told = (more: Partial<Heartbeat>): Heartbeat => {
    const facts = { ...heartbeatOf(1, more), node: '1' };
    const datagram = { ...news, news: [{ node: '1', ageSeconds: 0, facts, gone: null }] };
    return decodeDatagram(encodeDatagram(datagram, none))?.news[0]?.facts as Heartbeat;
  };
  for (const mebibytes of [0, 1, 100, 2047, 2048, 8192, 1 << 20]) {
    const bytes = mebibytes * 2 ** 20;
    const { swap_bytes, swap_free_bytes } = told({ swap_bytes: bytes, swap_free_bytes: bytes });
    assert.deepEqual([swap_bytes, swap_free_bytes], [bytes, bytes]);
  }
  for (let bytes = 1e6; bytes < 1e17; bytes *= 1.37) {
    const { swap_bytes: swap } = told({ swap_bytes: bytes });
    assert.ok(Math.abs((swap ?? 0) - bytes) <= Math.max(2 ** 19, bytes / 1000), `${bytes}: ${swap}`);
  }
  assert.ok((told({ swap_bytes: 1e300 }).swap_bytes ?? 0) > 1e18);
  assert.deepEqual([told({ frozen: 0 }).frozen, told({ frozen: 200 }).frozen, told({ frozen: 1e6 }).frozen], [0, 200, 65_535]);
});

test('a neighbouring version that tells neither swap space nor frozen processes, nor its clock, is understood, and understands', () => {
  const unknown = { swap_bytes: null, swap_free_bytes: null, frozen: null };
  const two = news.news.slice(0, 2).map((one) => ({ ...one, facts: one.facts && { ...one.facts, ...unknown } }));
  const { signed: _signed, signature: _signature, ...read } = decodeDatagram(Buffer.from(EARLIER_NEWS, 'base64')) as Received;
  assert.deepEqual(read, { ...news, news: two });
  const heard = decodeDatagram(Buffer.from(EARLIER_HEARD, 'base64'));
  assert.deepEqual([heard?.kind, heard?.sequence, heard?.news, heard?.heard], ['heard', 100, [], undefined]);
  // What is passed on of such a node says no more than was known, and it is the same to the byte.
  assert.deepEqual(encodeDatagram({ ...news, news: two }, none).toString('base64'), EARLIER_NEWS);
  // And what it reads of ours: entries as long as it knows them, of news with more behind the facts it knows, of what was heard for no node.
  const ours = encodeDatagram({ ...news, news: news.news.slice(0, 2) }, none);
  assert.deepEqual([ours.length, ours.readUInt16LE(6), ours.readUInt16LE(24)], [26 + 2 * 80 + 64, 80, 2]);
  const [before, after] = [Buffer.from(EARLIER_NEWS, 'base64'), Buffer.from(ours)];
  for (const at of [26, 106]) {
    assert.equal(after[at + 2], (before[at + 2] ?? 0) | 16, 'a flag that it does not look at');
    after[at + 2] = before[at + 2] ?? 0;
    after.fill(0, at + 74, at + 80);
  }
  assert.deepEqual(after, before);
  const answer = { ...news, kind: 'heard' as const, news: [], heard: { sequence: 99, clockSeconds: 1_795_951_140.25 } };
  const said = encodeDatagram(answer, none);
  assert.deepEqual([said.length, said.readUInt16LE(6), said.readUInt16LE(24), said.readUInt16LE(26)], [26 + 80 + 64, 80, 1, 0]);
  assert.deepEqual([decodeDatagram(said)?.news, decodeDatagram(said)?.heard], [[], answer.heard]);
});

test('what a later version adds to entries is skipped', () => {
  const bytes = encodeDatagram({ ...news, news: news.news.slice(0, 2) }, none);
  const [size, head] = [bytes.readUInt16LE(6), 26];
  const entries = [0, 1].map((index) => bytes.subarray(head + index * size, head + (index + 1) * size));
  const longer = entries.flatMap((entry) => [entry, Buffer.from('more')]);
  const grown = Buffer.concat([bytes.subarray(0, head), ...longer, bytes.subarray(-64)]);
  grown.writeUInt16LE(size + 4, 6);
  assert.deepEqual(decodeDatagram(grown)?.news, news.news.slice(0, 2));
});

test('garbage is none, and none throws', () => {
  const random = randomFrom(1);
  const answer: Datagram = { ...news, kind: 'heard', news: [], heard: { sequence: 7, clockSeconds: 1e9 } };
  const both = [encodeDatagram(news, none), encodeDatagram(answer, none)];
  let understood = 0;
  for (let each = 0; each < 100_000; each++) {
    const whole = both[each % 2] as Buffer;
    const bytes = Buffer.from(whole.subarray(0, random() < 0.5 ? whole.length : Math.floor(random() * whole.length)));
    for (let flips = Math.floor(random() * 8); flips >= 0 && bytes.length > 0; flips--)
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
    const read = decodeDatagram(bytes);
    if (!read) continue;
    understood++;
    if (read.heard) assert.ok(Number.isFinite(read.heard.clockSeconds) && read.heard.clockSeconds >= 0);
    for (const { facts, ageSeconds } of read.news) {
      assert.ok(ageSeconds >= 0);
      if (facts)
        for (const value of [facts.cpus, facts.load, facts.speed, facts.memory_bytes, facts.swap_bytes, facts.swap_free_bytes])
          assert.ok(value === null || (Number.isFinite(value) && value >= 0));
    }
  }
  assert.ok(understood > 1000, `${understood}`);
  for (const length of [0, 1, 25, 89, 90, 2000]) assert.equal(decodeDatagram(Buffer.alloc(length)), null);
  const said = encodeDatagram(answer, none);
  for (let length = 0; length < said.length; length++) assert.equal(decodeDatagram(said.subarray(0, length)), null, `${length}`);
  assert.equal(decodeDatagram(Buffer.concat([said, Buffer.alloc(1)])), null);
});

/** Nodes that talk over a network that can lose everything. */
class Network {
  readonly clock = new SimulatedClock();
  readonly members = new Map<number, GossipMembership>();
  readonly changes: string[] = [];
  readonly dead = new Set<number>();
  readonly states = new Map<number, Partial<Heartbeat>>();
  /** Of the datagrams, and of all. */
  loses = (_from: number, _to: number): boolean => false;
  cut = (_from: number, _to: number): boolean => false;
  /** Of an earlier version, which does not say what its clock shows. */
  readonly earlier = new Set<number>();
  asks = 0;
  datagrams: { bytes: Buffer; to: number }[] = [];
  private readonly random = randomFrom(5);
  readonly keys = new Map<number, ReturnType<typeof generateKeyPairSync>>();
  /** Whose keys a node knows by what it asked. */
  readonly known = new Set<string>();

  constructor(
    readonly count: number,
    /** What a node's clock shows. */
    readonly clockOf: (number: number, right: Clock) => Clock = (_, right) => right,
  ) {
    for (let number = 1; number <= count; number++) this.add(number);
  }

  add(number: number, life = 1): void {
    const { random } = this;
    const clock = this.clockOf(number, this.clock);
    if (!this.keys.has(number)) this.keys.set(number, generateKeyPairSync('ed25519'));
    const addresses = Array.from({ length: this.count }, (_, index) => addressOf(index + 1));
    const members = new GossipMembership(addresses, {
      self: `node${number}`,
      clock,
      random,
      own: () => heartbeatOf(number, this.states.get(number)),
      stepSeconds: 0.5,
      answerSeconds: 0.5,
      timeoutSeconds: 2,
      life,
      ask: (peer) => this.ask(number, peer.number),
      send: (peer, datagram) => {
        const key = this.keys.get(number)?.privateKey;
        const { heard: _heard, ...less } = datagram;
        const said = this.earlier.has(number) ? less : datagram;
        const bytes = encodeDatagram(said, (text) => sign(null, text, key as never));
        this.datagrams.push({ bytes, to: peer.number });
        if (!this.loses(number, peer.number) && !this.cut(number, peer.number)) this.deliver(bytes, peer.number);
      },
      isSigned: (peer, { signed, signature }) =>
        this.known.has(`${number} ${peer.number}`)
          ? verify(null, signed, this.keys.get(peer.number)?.publicKey as never, signature)
          : null,
      onHeard: () => {},
      onChange: ({ name, state }, before) => this.changes.push(`${number}: ${name} ${before} ${state}`),
    });
    this.members.set(number, members);
  }

  deliver(bytes: Buffer, to: number): void {
    this.clock.after(0.001, () => {
      const received = decodeDatagram(bytes);
      if (received && !this.dead.has(to)) this.members.get(to)?.receive(received);
    });
  }

  private ask(from: number, to: number): Promise<Heartbeat> {
    this.asks++;
    return new Promise((resolve, reject) => {
      const isCut = this.cut(from, to);
      this.clock.after(isCut ? 2 : 0.002, () => {
        if (isCut) reject(new Error('no answer'));
        else if (this.dead.has(to)) reject(new Error('ECONNREFUSED'));
        else {
          this.known.add(`${from} ${to}`).add(`${to} ${from}`);
          this.members.get(to)?.heardFrom(`node${from}`);
          const shown = this.earlier.has(to) ? {} : { clock_seconds: this.clockOf(to, this.clock).wallSeconds() };
          resolve(heartbeatOf(to, { ...this.states.get(to), ...shown }));
        }
      });
    });
  }

  start(): void {
    for (const members of this.members.values()) members.start();
  }

  run(seconds: number): Promise<void> {
    return this.clock.settleUntil(this.clock.seconds() + seconds);
  }

  kill(number: number): void {
    this.dead.add(number);
    this.members.get(number)?.stop();
  }

  state(from: number, of: number): string {
    const view = this.members.get(from)?.find(`node${of}`);
    return view?.why ? `${view.state}: ${view.why}` : `${view?.state}`;
  }
}

test('nodes know each other at once, and then ask for nothing', async () => {
  const network = new Network(8);
  network.start();
  await network.run(1);
  for (let from = 1; from <= 8; from++) for (let of = 1; of <= 8; of++) assert.equal(network.state(from, of), 'up');
  await network.run(5);
  const { asks } = network;
  await network.run(60);
  assert.equal(network.asks, asks);
  network.states.set(3, { load: 4, state: 'blocked' });
  await network.run(10);
  for (const members of network.members.values()) {
    assert.equal(members.find('node3')?.facts?.load, 4);
    assert.equal(members.find('10.0.0.3')?.state, 'blocked');
    assert.ok((members.find('3')?.lastSeenSeconds ?? 99) < 10);
  }
  assert.ok(network.changes.includes('1: node3 up blocked'));
});

test('a node that dies is down everywhere soon, and up when it is back', async () => {
  const network = new Network(8);
  network.start();
  await network.run(5);
  network.kill(4);
  await network.run(8);
  for (let from = 1; from <= 8; from++)
    if (from !== 4) assert.match(network.state(from, 4), /^down: (ECONNREFUSED|it gives no sign of life)$/);
  network.dead.delete(4);
  network.add(4, 2);
  network.members.get(4)?.start();
  await network.run(2);
  for (let from = 1; from <= 8; from++) assert.equal(network.state(from, 4), 'up');
  const seen = network.changes.filter((change) => change.startsWith('1: node4'));
  assert.deepEqual(seen, ['1: node4 down up', '1: node4 up down', '1: node4 down up']);
});

test('where all datagrams are lost nodes are asked instead', async () => {
  const network = new Network(3);
  network.loses = () => true;
  network.start();
  await network.run(30);
  for (let from = 1; from <= 3; from++) for (let of = 1; of <= 3; of++) assert.equal(network.state(from, of), 'up');
  network.states.set(2, { load: 3 });
  await network.run(5);
  assert.equal(network.members.get(1)?.find('node2')?.facts?.load, 3);
  assert.ok(
    network.changes.every((change) => change.endsWith('down up')),
    network.changes.join(', '),
  );
});

test('two that cannot reach each other do not believe others that they could', async () => {
  const network = new Network(4);
  network.start();
  await network.run(3);
  network.cut = (from, to) => from + to === 3;
  await network.run(12);
  assert.equal(network.state(1, 2), 'down: no answer');
  assert.equal(network.state(2, 1), 'down: no answer');
  const others = network.changes.filter((change) => /^[34]: .*down$/.test(change));
  assert.deepEqual([network.state(3, 1), network.state(3, 2), others], ['up', 'up', []]);
  const before = network.changes.length;
  await network.run(30);
  assert.deepEqual(
    network.changes.slice(before).filter((change) => /^[12]: node[12] /.test(change)),
    [],
    'and do not change their minds',
  );
  network.cut = () => false;
  await network.run(6);
  assert.deepEqual([network.state(1, 2), network.state(2, 1)], ['up', 'up']);
});

test('a node whose clock is wrong, and goes faster or slower, is one like others', async () => {
  const wrong = (right: Clock, offset: number, speed: number): Clock => ({
    wallSeconds: () => right.wallSeconds() * speed + offset,
    seconds: () => right.seconds() * speed + offset,
    after: (seconds, call) => right.after(seconds / speed, call),
  });
  const network = new Network(8, (number, right) =>
    number === 2 ? wrong(right, 1e9, 1.05) : number === 3 ? wrong(right, 5e5, 0.95) : right,
  );
  network.start();
  await network.run(10);
  const all = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const from of all) for (const of of all) assert.equal(network.state(from, of), 'up', `${from} of ${of}`);
  network.changes.length = 0;
  await network.run(120);
  assert.deepEqual(network.changes, [], 'nobody is thought dead');
  network.kill(5);
  await network.run(10);
  for (const from of all.filter((one) => one !== 5)) assert.match(network.state(from, 5), /^down/, `${from}`);
});

test('nodes find out how far the clocks of others are from theirs, and that one was set', async () => {
  const offsets = [0, 0, 7200, -0.25, 1e9];
  const network = new Network(4, (number, right) => ({
    wallSeconds: () => right.wallSeconds() + (offsets[number] ?? 0),
    seconds: () => right.seconds(),
    after: (seconds, call) => right.after(seconds, call),
  }));
  network.earlier.add(4);
  const offset = (from: number, of: number) => network.members.get(from)?.find(`node${of}`)?.clockOffsetSeconds;
  const right = (from: number, of: number): void => {
    const wanted = (offsets[of] ?? 0) - (offsets[from] ?? 0);
    assert.ok(Math.abs((offset(from, of) ?? Number.NaN) - wanted) < 0.0011, `${from} of ${of}: ${offset(from, of)}`);
  };
  assert.equal(offset(1, 2), null, 'they have not talked yet');
  network.start();
  await network.run(1);
  for (const from of [1, 2, 3, 4]) for (const of of [1, 2, 3]) right(from, of);
  assert.deepEqual([offset(1, 4), offset(4, 4)], [null, 0]);
  offsets[2] = -3;
  offsets[3] = 0.5;
  await network.run(20);
  for (const from of [1, 2, 3, 4]) for (const of of [1, 2, 3]) right(from, of);
  network.loses = () => true;
  offsets[2] = 90;
  await network.run(20);
  right(1, 2);
});

test('one that says goodbye is down until it is back, though others know it from before', async () => {
  const network = new Network(4);
  network.start();
  await network.run(3);
  network.states.set(4, { state: 'leaving' });
  for (let from = 1; from <= 2; from++) network.members.get(from)?.left('node4');
  await network.run(0.4);
  assert.equal(network.state(1, 4), 'down: it was shut down');
  network.kill(4);
  await network.run(10);
  assert.equal(network.state(1, 4), 'down: it was shut down');
  assert.match(network.state(3, 4), /^down/);
  network.dead.delete(4);
  network.states.delete(4);
  network.add(4, 2);
  network.members.get(4)?.start();
  await network.run(3);
  assert.equal(network.state(1, 4), 'up');
});

test('only what a node has signed for this one, and not before, is believed', async () => {
  const network = new Network(3);
  network.start();
  await network.run(3);
  const one = network.members.get(1) as GossipMembership;
  const lie = (more: Partial<Datagram>, key = 2): Received => {
    const text = { node: '2', ageSeconds: 0, facts: { ...heartbeatOf(2, { load: 77 }), node: '2' }, gone: null };
    const datagram: Datagram = { kind: 'news', from: 2, to: 1, life: 1, sequence: 1e6, news: [text], ...more };
    const bytes = encodeDatagram(datagram, (signed) => sign(null, signed, network.keys.get(key)?.privateKey as never));
    return decodeDatagram(bytes) as Received;
  };
  const load = () => one.find('node2')?.facts?.load;
  const wrong: [string, Received][] = [
    ['signed by another', lie({}, 3)],
    ['for another', lie({ to: 3 })],
    ['from none', lie({ from: 9 })],
    ['from itself', lie({ from: 1 }, 1)],
    ['of an earlier life', lie({ life: 0 })],
    ['heard before', lie({ sequence: 1 })],
    [
      'of a node that there is not',
      lie({ news: [{ node: '9', ageSeconds: 0, facts: { ...heartbeatOf(9), node: '9' }, gone: null }], sequence: 1e6 - 1 }),
    ],
    ['about this node', lie({ news: [{ node: '1', ageSeconds: 0, facts: null, gone: 'it was shut down' }], sequence: 1e6 })],
  ];
  for (const [what, received] of wrong) {
    one.receive(received);
    assert.equal(load(), 1.5, what);
    assert.deepEqual([one.nodes().length, one.find('node1')?.state], [3, 'up'], what);
  }
  one.receive(lie({ sequence: 1e6 + 1 }));
  assert.equal(load(), 77, 'what is right is believed');
  // The same once more, as somebody may send it who has heard it.
  network.states.set(2, { load: 2 });
  const heard = network.datagrams.filter(({ to }) => to === 1).map(({ bytes }) => bytes);
  for (const bytes of heard) one.receive(decodeDatagram(bytes) as Received);
  assert.equal(load(), 77);
});

test('a list that is read again adds, changes and takes away nodes', async () => {
  const network = new Network(3);
  network.start();
  await network.run(2);
  const one = network.members.get(1) as GossipMembership;
  one.replace([addressOf(1), { ...addressOf(2), dataPort: 9 }]);
  assert.deepEqual(
    one.nodes().map(({ name, state, dataPort }) => [name, state, dataPort]),
    [
      ['node1', 'up', 7071],
      ['node2', 'up', 9],
    ],
  );
  one.replace([addressOf(1), { ...addressOf(2), address: '10.0.0.99' }, addressOf(3)]);
  assert.equal(one.find('node2')?.state, 'down');
  await network.run(3);
  assert.deepEqual([network.state(1, 2), network.state(1, 3)], ['up', 'up']);
  assert.equal(one.self.name, 'node1');
  for (const members of network.members.values()) members.stop();
});

test('of a large cluster this node, those asked for and those of the youngest news can be had', async () => {
  const network = new Network(60);
  network.start();
  await network.run(20);
  const one = network.members.get(1) as GossipMembership;
  const latest = one.latest(10, new Set(['node50', 'node51']));
  assert.deepEqual(
    latest.slice(0, 3).map(({ name }) => name),
    ['node1', 'node50', 'node51'],
  );
  assert.equal(new Set(latest.map(({ name }) => name)).size, 10);
  const age = ({ lastSeenSeconds }: NodeView): number => lastSeenSeconds ?? Number.POSITIVE_INFINITY;
  const oldest = Math.max(...latest.slice(3).map(age));
  const names = new Set(latest.map(({ name }) => name));
  assert.ok(one.nodes().every((node) => names.has(node.name) || age(node) >= oldest));
  assert.equal(one.latest(60, new Set()).length, 60);
});
