/** Gossip between clusters that are partners: who is told what of whom, and who is believed. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import {
  type Datagram,
  type NodeAddress,
  type Received,
  GossipMembership,
  LONGEST_DATAGRAM_BYTES,
  checksumOf,
  decodeDatagram,
  encodeDatagram,
} from '../../lib/cluster/index.js';
import type { Heartbeat } from '../../lib/shared/wire.js';
import { addressOf, heartbeatOf } from '../../simulate/made-up.js';
import { randomFrom } from '../../simulate/random.js';
import { SimulatedClock } from '../../simulate/simulated-clock.js';

const none = (bytes: Buffer): Buffer => Buffer.alloc(64, bytes.length);
const [A, B, C] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'cccccccccccccccc'] as const;

test('a datagram to another cluster names both; entries name the cluster of their node, and the checksum of its labels', () => {
  const facts = (node: string, more: Partial<Heartbeat> = {}): Heartbeat => ({ ...heartbeatOf(1, more), node });
  const news = [
    { node: '1', ageSeconds: 0, facts: facts('1', { labels_checksum: 7 }), gone: null },
    { node: `1@${B}`, ageSeconds: 2, facts: facts(`1@${B}`), gone: null },
    { node: `2@${C}`, ageSeconds: 2, facts: null, gone: 'it was shut down' },
  ];
  const datagram: Datagram = { kind: 'news', from: 1, to: 1, clusters: { from: A, to: B }, life: 5, sequence: 6, news };
  const bytes = encodeDatagram(datagram, none);
  const { signed: _signed, signature: _signature, ...read } = decodeDatagram(bytes) as Received;
  assert.deepEqual(read, datagram);
  const own = {
    ...datagram,
    news: news.map((one) => ({ ...one, facts: one.facts && { ...one.facts, labels: ['gpu', 'fast'] } })),
  };
  assert.equal(decodeDatagram(encodeDatagram(own, none))?.news[0]?.facts?.labels_checksum, checksumOf(['gpu', 'fast']));
  const many = Array.from({ length: 50 }, (_, index) => ({ ...news[1], node: `${index + 1}@${B}` }) as Datagram['news'][number]);
  const full = encodeDatagram({ ...datagram, news: many }, none);
  assert.ok(full.length <= LONGEST_DATAGRAM_BYTES);
  assert.equal(decodeDatagram(full)?.news.length, 14);
  // What a version does with it that knows nothing of other clusters: it reads the first fields alone, and has no node 0.
  const old = Buffer.from(encodeDatagram({ ...datagram, kind: 'news', news: news.slice(1) }, none));
  assert.equal(old.readUInt8(5), 3, 'a kind it does not know');
  assert.deepEqual([old.readUInt16LE(42), old.readUInt16LE(42 + old.readUInt16LE(6))], [0, 0]);
});

test('nothing is different for who has no partners and no labels', () => {
  const plain: Datagram = {
    kind: 'news',
    from: 1,
    to: 2,
    life: 1,
    sequence: 1,
    news: [{ node: '1', ageSeconds: 0, facts: heartbeatOf(1), gone: null }],
  };
  const bytes = encodeDatagram(plain, none);
  assert.deepEqual([bytes.length, bytes.readUInt16LE(6), bytes.readUInt8(5)], [26 + 80 + 64, 80, 1]);
});

test('garbage that says it is of another cluster is none, and none throws', () => {
  const random = randomFrom(3);
  const news = [{ node: `1@${B}`, ageSeconds: 2, facts: heartbeatOf(1), gone: null }];
  const whole = encodeDatagram({ kind: 'news', from: 1, to: 1, clusters: { from: A, to: B }, life: 5, sequence: 6, news }, none);
  for (let each = 0; each < 30_000; each++) {
    const bytes = Buffer.from(whole.subarray(0, random() < 0.5 ? whole.length : Math.floor(random() * whole.length)));
    for (let flips = Math.floor(random() * 6); flips >= 0 && bytes.length > 0; flips--)
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
    decodeDatagram(bytes);
  }
  const heard = { sequence: 6, clockSeconds: 1e9 };
  const said = encodeDatagram(
    { kind: 'heard', from: 1, to: 1, clusters: { from: A, to: B }, life: 5, sequence: 7, news: [], heard },
    none,
  );
  assert.deepEqual([decodeDatagram(said)?.news, decodeDatagram(said)?.heard], [[], heard]);
  for (const length of [90, 91, 105, 106, 107]) {
    const bytes = Buffer.alloc(length);
    bytes.write('MOSG\u0001\u0003');
    bytes.writeUInt16LE(92, 6);
    assert.equal(decodeDatagram(bytes) !== null, length === 106, `${length}`);
  }
});

/** Two clusters: a with nodes 1 and 2, b with nodes 1 and 2; both know each other. */
class Clusters {
  readonly clock = new SimulatedClock();
  readonly members = new Map<string, GossipMembership>();
  readonly keys = new Map<string, ReturnType<typeof generateKeyPairSync>>();
  readonly states = new Map<string, Partial<Heartbeat>>();
  readonly dead = new Set<string>();
  readonly sent: { from: string; to: string; datagram: Datagram }[] = [];
  asks = 0;
  private readonly random = randomFrom(7);

  constructor() {
    for (const id of ['a1', 'a2', 'b1', 'b2']) this.keys.set(id, generateKeyPairSync('ed25519'));
    for (const id of this.keys.keys()) this.add(id);
  }

  /** As a node of that cluster has it: the other's nodes with the other's name. */
  private addresses(cluster: string): NodeAddress[] {
    return ['a', 'b'].flatMap((other) =>
      [1, 2].map((number): NodeAddress => {
        const own = { ...addressOf(number), address: `10.0.${other}.${number}` };
        return other === cluster ? own : { ...own, name: `node${number}@${other}`, authority: other === 'a' ? A : B };
      }),
    );
  }

  private add(id: string): void {
    const { clock, random } = this;
    const [cluster = '', number = ''] = id;
    const idOf = ({ address }: NodeAddress): string => `${address.split('.')[2]}${address.split('.')[3]}`;
    this.members.set(
      id,
      new GossipMembership(this.addresses(cluster), {
        self: `node${number}`,
        clock,
        random,
        authority: cluster === 'a' ? A : B,
        own: (told) => ({
          ...heartbeatOf(Number(number), this.states.get(id)),
          ...(told === null ? {} : { state: 'blocked' as const }),
        }),
        stepSeconds: 0.5,
        answerSeconds: 0.5,
        timeoutSeconds: 2,
        life: 1,
        ask: (peer) => {
          this.asks++;
          const to = idOf(peer);
          if (this.dead.has(to)) return Promise.reject(new Error('ECONNREFUSED'));
          return Promise.resolve(
            heartbeatOf(peer.number, { ...this.states.get(to), ...(to[0] === cluster ? {} : { state: 'blocked' }) }),
          );
        },
        send: (peer, datagram) => {
          const to = idOf(peer);
          this.sent.push({ from: id, to, datagram });
          const bytes = encodeDatagram(datagram, (text) => sign(null, text, this.keys.get(id)?.privateKey as never));
          this.clock.after(0.001, () => {
            const received = decodeDatagram(bytes);
            if (received && !this.dead.has(to)) this.members.get(to)?.receive(received);
          });
        },
        isSigned: (peer, { signed, signature }) => verify(null, signed, this.keys.get(idOf(peer))?.publicKey as never, signature),
        onHeard: () => {},
        onChange: () => {},
      }),
    );
  }

  async run(seconds: number): Promise<void> {
    await this.clock.settleUntil(this.clock.seconds() + seconds);
  }

  of(id: string): GossipMembership {
    return this.members.get(id) as GossipMembership;
  }
}

async function begun(): Promise<Clusters> {
  const clusters = new Clusters();
  for (const members of clusters.members.values()) members.start();
  await clusters.run(5);
  return clusters;
}

test('nodes of one name and number in two clusters are two, known by both; a number is of the own cluster', async () => {
  const clusters = await begun();
  clusters.states.set('b1', { load: 7 });
  clusters.states.set('a1', { load: 3 });
  const { asks } = clusters;
  await clusters.run(40);
  assert.equal(clusters.asks, asks, 'datagrams are heard: nobody is asked');
  const seen = clusters
    .of('a2')
    .nodes()
    .map(({ name, state, facts }) => [name, state, facts?.load]);
  assert.deepEqual(seen, [
    ['node1', 'up', 3],
    ['node2', 'up', 1.5],
    ['node1@b', 'blocked', 7],
    ['node2@b', 'blocked', 1.5],
  ]);
  assert.equal(clusters.of('a2').find('1')?.name, 'node1');
  assert.equal(clusters.of('a2').find('10.0.b.1')?.name, 'node1@b');
  assert.equal(clusters.of('b2').find('node1@a')?.facts?.load, 3);
});

test('a partner is told of the telling node alone, and talked to less often than the own cluster', async () => {
  const clusters = await begun();
  await clusters.run(200);
  const news = clusters.sent.filter(({ datagram }) => datagram.kind === 'news');
  const abroad = news.filter(({ from, to }) => from[0] !== to[0]);
  assert.ok(abroad.length > 50 && abroad.length < 0.45 * news.length, `${abroad.length} of ${news.length}`);
  for (const { from, datagram } of abroad)
    assert.deepEqual(
      datagram.news.map(({ node }) => node),
      [from[1]],
    );
  for (const { datagram } of news.filter(({ from, to }) => from[0] === to[0])) assert.equal(datagram.clusters, undefined);
  assert.ok(
    news.some(
      ({ from, to, datagram }) => from[0] === to[0] && datagram.news.some(({ node }) => node === `1@${from[0] === 'a' ? B : A}`),
    ),
    'what it said of itself is passed on among the own nodes',
  );
});

test('a death in another cluster is seen, and its return', async () => {
  const clusters = await begun();
  clusters.dead.add('b2');
  clusters.of('b2').stop();
  await clusters.run(20);
  for (const id of ['a1', 'a2']) assert.equal(clusters.of(id).find('node2@b')?.state, 'down');
  assert.equal(clusters.of('a1').find('node2')?.state, 'up');
  clusters.dead.delete('b2');
  clusters.of('b2').start();
  await clusters.run(20);
  assert.equal(clusters.of('a1').find('node2@b')?.state, 'blocked');
});

test('a node of a partner is believed about itself alone, what is of nobody known, or for another cluster, is refused and counted', async () => {
  const clusters = await begun();
  const one = clusters.of('a1');
  const said = (more: Partial<Datagram>, key = 'b1'): Received => {
    const about = (node: string) => ({ node, ageSeconds: 0, facts: { ...heartbeatOf(1, { load: 77 }), node }, gone: null });
    const news = ['1', '2', `1@${A}`, `2@${A}`, `2@${B}`, `1@${C}`].map(about);
    const datagram: Datagram = {
      kind: 'news',
      from: 1,
      to: 1,
      clusters: { from: B, to: A },
      life: 1,
      sequence: 1e6,
      news,
      ...more,
    };
    const bytes = encodeDatagram(datagram, (signed) => sign(null, signed, clusters.keys.get(key)?.privateKey as never));
    return decodeDatagram(bytes) as Received;
  };
  const loads = () => one.nodes().map(({ name, facts }) => `${name} ${facts?.load}`);
  const before = loads();
  const wrong: [string, Received, number][] = [
    ['of a cluster that is not known', said({ clusters: { from: C, to: A } }), 1],
    ['for another cluster', said({ clusters: { from: B, to: C } }), 1],
    ['signed by another node of it', said({}, 'b2'), 1],
    ['as one of the own', said({ clusters: undefined as never, from: 2 }), 1],
    ['of a node that it has not', said({ from: 9 }), 1],
  ];
  for (const [what, received, counted] of wrong) {
    const { refused } = one;
    one.receive(received);
    assert.deepEqual(loads(), before, what);
    assert.equal(one.refused - refused, counted, what);
  }
  one.receive(said({}));
  assert.deepEqual(
    loads(),
    before.map((text) => text.replace(/^node1@b .*/, 'node1@b 77')),
    'what it says of itself is',
  );
});

test('labels are asked for where a datagram says that there are others than are known', async () => {
  const clusters = await begun();
  const { asks } = clusters;
  clusters.states.set('b1', { labels: ['gpu', 'fast'] });
  await clusters.run(60);
  assert.deepEqual(clusters.of('a1').find('node1@b')?.labels, ['gpu', 'fast']);
  assert.deepEqual(clusters.of('b2').find('node1')?.labels, ['gpu', 'fast']);
  assert.ok(clusters.asks - asks <= 6, `${clusters.asks - asks} questions`);
  clusters.states.set('b1', {});
  await clusters.run(60);
  assert.deepEqual(clusters.of('a1').find('node1@b')?.labels, []);
});
