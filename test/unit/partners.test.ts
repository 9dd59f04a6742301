/** Partners: their files, their nodes, and what is decided about processes that come from them or go there. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeAuthority } from '../../lib/cluster/certificates.js';
import {
  type Introduction,
  type NodeAddress,
  type Partner,
  PartnerNodes,
  clusterOf,
  consider,
  nameIn,
  ownNameOf,
} from '../../lib/cluster/index.js';
import { Clusters } from '../../lib/daemon/clusters.js';
import type { Context } from '../../lib/daemon/context.js';
import { type Guest, Evictions } from '../../lib/daemon/evictions.js';
import { NodeSettings } from '../../lib/daemon/node-settings.js';
import { parsePartner, readPartners } from '../../lib/daemon/partner-files.js';
import { TurnedAway } from '../../lib/daemon/turned-away.js';
import { Sessions, type SessionsPorts } from '../../lib/daemon/sessions.js';
import { type Candidate, type Visitor, makeRoom, outranked, placesFor } from '../../lib/placement/index.js';
import { privilegesOf, rightsIn } from '../../lib/processes/index.js';
import { SimulatedClock } from '../../simulate/simulated-clock.js';

describe("partners' files", () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-partners-'));
  let ca = '';
  let other = '';
  let good = '';
  before(async () => {
    [ca, other] = [(await makeAuthority('mosrun')).certificate, (await makeAuthority('mosrun')).certificate];
    good = `description = "physics"\npriority = 50\nnodes = ["10.0.0.1", "10.0.0.2:7080"]\nca = """\n${ca}"""\n`;
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  test('a file says who they are; what it does not say has a default', () => {
    const { name, priority, may_come, may_pass_on, privileged, nodes } = parsePartner(good, '/etc/mosrun/partners/physics.toml');
    assert.deepEqual([name, priority, may_come, may_pass_on, privileged], ['physics', 50, true, true, false]);
    assert.deepEqual(nodes, [
      { address: '10.0.0.1', port: 7070 },
      { address: '10.0.0.2', port: 7080 },
    ]);
    assert.equal(parsePartner(good.replace('priority = 50\n', ''), 'physics.toml').priority, 100);
  });

  const wrong: [string, (text: string) => string, RegExp][] = [
    ['a priority that is the own', (text) => text.replace('50', '0'), /^physics\.toml:2: priority: .*>=1: see /],
    ['one that is that of public clusters', (text) => text.replace('50', '65535'), /^physics\.toml:2: priority: .*<=65534/],
    ['a host name', (text) => text.replace('10.0.0.1', 'host'), /^physics\.toml:3: nodes\.0: an IPv4 address is wanted/],
    ['a port that is none', (text) => text.replace('7080', '70800'), /^physics\.toml:3: nodes\.1: an IPv4 address is wanted/],
    ['an unknown key', (text) => `may_visit = true\n${text}`, /^physics\.toml:1: may_visit: there is no key "may_visit"/],
    [
      'no authority',
      (text) => text.replace(/ca = [^]*/, ''),
      /^physics\.toml: ca_file: .*in ca or in the file that ca_file names/,
    ],
    ['two', (text) => `ca_file = "x.pem"\n${text}`, /^physics\.toml:5: ca: the certificate of its authority is wanted/],
    ['garbage for one', (text) => text.replace(/-----BEGIN/, '-----BEGUN'), /^physics\.toml:4: ca: it is no certificate in PEM/],
    [
      'a file that is not there',
      (text) => text.replace(/ca = [^]*/, 'ca_file = "none.pem"\n'),
      /^physics\.toml:4: ca_file: there is no file .*none\.pem/,
    ],
  ];
  for (const [what, change, message] of wrong) {
    test(`${what} is refused with file, line and what is accepted`, () => {
      assert.throws(() => parsePartner(change(good), 'physics.toml'), { code: 'configuration', message });
    });
  }

  test('no two have one authority, and none has the own, or the own name', () => {
    const at = path.join(directory, 'partners');
    mkdirSync(at);
    const all = () => readPartners(directory, { cluster: 'lab', ca: other }).map(({ name }) => name);
    assert.deepEqual(readPartners(path.join(directory, 'nowhere'), { cluster: 'lab', ca: null }), []);
    writeFileSync(path.join(at, 'physics.toml'), good);
    writeFileSync(path.join(at, '.physics.toml.7'), 'half written');
    writeFileSync(path.join(at, 'notes.txt'), 'of somebody');
    assert.deepEqual(all(), ['physics']);
    writeFileSync(path.join(at, 'again.toml'), good);
    assert.throws(all, /physics\.toml:4: ca: that is the authority of partner again/);
    writeFileSync(path.join(at, 'again.toml'), good.replace(ca, other));
    assert.throws(all, /again\.toml:4: ca: that is the authority of this cluster/);
    writeFileSync(path.join(at, 'authority.pem'), other);
    writeFileSync(path.join(at, 'again.toml'), good.replace(/ca = [^]*/, 'ca_file = "authority.pem"\n'));
    assert.deepEqual(
      readPartners(directory, { cluster: 'lab', ca: null }).map(({ ca: pem }) => pem === other),
      [true, false],
    );
    rmSync(path.join(at, 'again.toml'));
    assert.throws(() => readPartners(directory, { cluster: 'physics', ca: null }), /physics is the name of this cluster itself/);
  });

  test('what root has set of clusters outlasts the daemon, and is taken back one by one', () => {
    const file = path.join(directory, 'node.json');
    writeFileSync(file, '{"version":1,"blocked":true,"stay":false,"local_stay":false}');
    const settings = new NodeSettings(file);
    assert.deepEqual([settings.current.blocked, settings.current.grid_guests], [true, null], 'as an earlier version wrote it');
    settings.change({ grid_guests: 3, priorities: { physics: 7, law: 9 } });
    settings.change({ grid_closed: true, priorities: { law: null } });
    assert.deepEqual(new NodeSettings(file).current, {
      blocked: true,
      stay: false,
      local_stay: false,
      isolated: false,
      grid_closed: true,
      grid_guests: 3,
      priorities: { physics: 7 },
    });
  });
});

test('a name says which cluster a node is of', () => {
  for (const [name, node, cluster] of [
    ['node3', 'node3', null],
    ['node3@physics', 'node3', 'physics'],
  ] as const) {
    assert.deepEqual([ownNameOf(name), clusterOf(name), nameIn(node, cluster)], [node, cluster, name]);
  }
});

test('who is turned away is counted and kept, and told of now and then, however many they are', () => {
  const clock = new SimulatedClock();
  const told: string[] = [];
  const turned = new TurnedAway(clock, ({ fingerprint }) => told.push(fingerprint ?? ''));
  const peer = (which: number) =>
    ({ kind: 'foreign', cluster: `public-${which}`, node: 'node1', fingerprint: `${which}`, ca: '' }) as const;
  for (let times = 0; times < 5; times++) turned.note(peer(1), '10.0.0.1', 'not known');
  clock.runUntil(50);
  turned.note(peer(1), '10.0.0.2', 'not known');
  assert.deepEqual(told, ['1']);
  assert.deepEqual(
    turned.list().map(({ address, count, last_seconds }) => [address, count, last_seconds]),
    [['10.0.0.2', 6, 0]],
  );
  clock.runUntil(61);
  for (let which = 1; which <= 1000; which++) turned.note(peer(which), '10.0.0.3', 'not known');
  assert.equal(told.length, 31);
  assert.equal(turned.list().length, 32);
  assert.equal(turned.list()[0]?.fingerprint, '1000');
  assert.equal(turned.total, 1006);
});

test('of many nodes those of other clusters take no more than half of the places from the own', () => {
  const youngest = ['a@b', 'c@b', 'own1', 'd@b', 'own2', 'own3', 'e@b', 'own4'];
  assert.deepEqual(consider(youngest, 4), ['own1', 'own2', 'a@b', 'c@b']);
  assert.deepEqual(consider(['a@b', 'own1', 'own2', 'own3', 'own4'], 4), ['own1', 'own2', 'own3', 'a@b']);
  assert.deepEqual(consider(['a@b', 'c@b', 'd@b', 'own1'], 4), ['own1', 'a@b', 'c@b', 'd@b']);
  assert.deepEqual(consider(['own1', 'own2', 'own3'], 2), ['own1', 'own2']);
});

test('rights beyond those of an ordinary user are seen, of every kind', () => {
  const status = (uid: string, gid: string, permitted = '0', effective = '0') =>
    `Name:\tx\nUid:\t${uid}\nGid:\t${gid}\nCapInh:\t0000000000000000\nCapPrm:\t${permitted.padStart(16, '0')}\nCapEff:\t${effective.padStart(16, '0')}\nCapBnd:\t000001ffffffffff\n`;
  const ordinary = '7\t7\t7\t7';
  assert.equal(rightsIn(status(ordinary, ordinary)), null);
  assert.equal(rightsIn(status('0\t0\t0\t0', ordinary)), "root's rights");
  assert.equal(rightsIn(status('7\t7\t0\t7', ordinary)), "root's rights");
  assert.match(rightsIn(status('7\t8\t8\t8', ordinary)) ?? '', /set-user-ID/);
  assert.match(rightsIn(status(ordinary, '7\t7\t8\t7')) ?? '', /set-group-ID/);
  assert.equal(rightsIn(status(ordinary, ordinary, '80000')), 'capabilities');
  assert.equal(rightsIn(status(ordinary, ordinary, '0', '1')), 'capabilities');
  assert.equal(rightsIn('Name:\tx\n'), 'rights that cannot be found out');
  assert.equal(privilegesOf(process.pid) === null, process.getuid?.() !== 0);
});

describe('who makes way', () => {
  const visitor = (session: string, priority: number, opened: number, memoryBytes = 10): Visitor => ({
    session,
    priority,
    opened,
    memoryBytes,
  });
  const all = [visitor('own', 0, 1), visitor('a', 50, 2), visitor('b', 50, 3), visitor('c', 90, 4), visitor('p', 65_535, 5)];
  const names = (some: readonly Visitor[]) => some.map(({ session }) => session).join(' ');
  const none = { guests: 0, abroad: 0, memoryBytes: 0 };

  test('those that are worse than the best, the worst first, of one priority the one that came last', () => {
    assert.equal(names(outranked(all, 0)), 'p c b a');
    assert.equal(names(outranked(all, 50)), 'p c');
    assert.equal(names(outranked(all, 65_535)), '');
  });

  test('no more than it takes, and none if all would not be enough', () => {
    assert.equal(names(makeRoom(all, 0, { ...none, guests: 1 })), 'p');
    assert.equal(names(makeRoom(all, 0, { ...none, guests: 2 })), 'p c');
    assert.equal(names(makeRoom(all, 0, { ...none, memoryBytes: 25 })), 'p c b');
    assert.equal(names(makeRoom(all, 50, { ...none, memoryBytes: 25 })), '', 'those of its own priority stay');
    assert.equal(names(makeRoom(all, 0, { ...none, memoryBytes: 41 })), '');
    assert.equal(names(makeRoom(all, 90, { ...none, abroad: 1 })), 'p');
    assert.equal(names(makeRoom(all, 0, none)), '');
  });

  /** A node with guests, whose homes take them away or do not. */
  function hosting(always: boolean) {
    const clock = new SimulatedClock();
    const guests: Guest[] = all.map((one) => ({ ...one, home: `node@${one.session}` }));
    const state = { ownBest: null as number | null, refuses: new Set<string>(), told: [] as string[], asked: [] as string[] };
    const evictions = new Evictions({
      clock,
      guests: () => Promise.resolve(guests),
      areOwn: () => guests.every(({ priority }) => priority === 0),
      ownBest: () => state.ownBest,
      always: () => always,
      recall: (home, sessions, reason) => {
        state.asked.push(`${home}: ${reason}`);
        if (state.refuses.has(home)) return Promise.reject(new Error('nobody answers'));
        for (const session of sessions)
          guests.splice(
            guests.findIndex((one) => one.session === session),
            1,
          );
        return Promise.resolve(sessions.map((session) => ({ session, message: null })));
      },
      tell: (session) => state.told.push(session),
      log: () => {},
    });
    return { clock, evictions, guests, state };
  }
  const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

  test('guests leave as soon as a better process is there, or only for its room', async () => {
    const { evictions, guests, state } = hosting(true);
    guests.shift();
    await evictions.look();
    await settle();
    assert.equal(names(guests), 'a b', 'the best guests are there, and no own work');
    state.ownBest = 0;
    await evictions.look();
    await settle();
    assert.equal(names(guests), '');
    assert.deepEqual(state.told.toSorted(), ['a', 'b', 'c', 'p']);
    assert.ok(state.asked.includes('node@c: better processes are here, of priority 50 before 90'), state.asked.join('; '));
    const other = hosting(false);
    other.state.ownBest = 0;
    await other.evictions.look();
    await settle();
    assert.equal(other.guests.length, 5);
    assert.equal(await other.evictions.makeRoomFor(0, 'it', { ...none, guests: 1 }), true);
    await settle();
    assert.equal(names(other.guests), 'own a b c');
    assert.deepEqual(other.state.asked, ['node@p: it needs the room, of priority 0 before 65535']);
    assert.equal(await other.evictions.makeRoomFor(50, 'it', { ...none, guests: 2 }), false);
  });

  test('a guest whose home cannot be reached stays, is counted as one that stays, and its home is told again, later each time', async () => {
    const { clock, evictions, guests, state } = hosting(true);
    state.ownBest = 0;
    state.refuses.add('node@c');
    evictions.start();
    for (let half = 0; half < 20; half++) {
      await clock.settleUntil(clock.seconds() + 0.5);
      await settle();
    }
    assert.equal(names(guests), 'own c');
    assert.equal(evictions.isLeaving('c'), false);
    const times = state.asked.filter((one) => one.startsWith('node@c')).length;
    assert.ok(times >= 3 && times <= 6, `${times}`);
    assert.deepEqual(
      state.told.filter((one) => one === 'c'),
      ['c'],
      'told of once',
    );
    state.refuses.clear();
    for (let half = 0; half < 40; half++) {
      await clock.settleUntil(clock.seconds() + 0.5);
      await settle();
    }
    assert.equal(names(guests), 'own');
    evictions.stop();
  });
});

test('places in other clusters are those of programs that may go there, and each is asked about from where the process is', () => {
  const candidate = (name: string, excluded: string | null = null): Candidate => ({
    name,
    excluded,
    cpus: 1,
    speed: 1,
    runnable: 0,
    memoryBytes: 1,
    memoryFreeBytes: 1,
    link: null,
  });
  const all = [candidate('home'), candidate('near'), candidate('x@b'), candidate('y@b', 'it is down'), candidate('z@c')];
  const whyNotTo = (node: string, from: string) => (node.endsWith('@c') ? `not from ${from}` : null);
  const shown = (abroad: boolean, at: string) =>
    placesFor(all, { abroad, whyNotTo }, at).map(({ name, excluded }) => (excluded === null ? name : `${name}: ${excluded}`));
  assert.deepEqual(shown(false, 'home'), ['home', 'near']);
  assert.deepEqual(shown(true, 'x@b'), ['home', 'near', 'x@b', 'y@b: it is down', 'z@c: not from x@b']);
  assert.deepEqual(shown(false, 'x@b'), ['home', 'near', 'x@b'], 'where it is it is');
});

test('a hosting node of another cluster names no other address than its own', async () => {
  const at = { number: 1, address: '10.0.0.1', controlPort: 7070, dataPort: 7071 };
  const answer = { session: 'a'.repeat(16), token: 'b'.repeat(64), address: '10.0.0.9', port: 7071, encrypted: false };
  const dropped: string[] = [];
  const sessions = new Sessions({
    members: { find: (name: string) => ({ ...at, name, self: false, state: 'up', why: null, lastSeenSeconds: 0, facts: null }) },
    peers: {
      ask: (_node: NodeAddress, { method, path: where }: { method: string; path: string }) => {
        if (method === 'DELETE') dropped.push(where);
        return Promise.resolve(answer);
      },
    },
    connectSeconds: () => 1,
    requestFor: () => ({ encrypt: false }),
    whyNotTo: () => null,
    asOrdinary: (name: string) => name.includes('@'),
    route: () => Promise.resolve(1),
    unroute: () => Promise.resolve(),
  } as unknown as SessionsPorts);
  await assert.rejects(sessions.ask('node1@physics', 7, null, false), /names another address for its data port than its own/);
  assert.deepEqual(dropped, [`/v1/sessions/${answer.session}`]);
  assert.equal((await sessions.ask('node1', 7, null, false)).ordinary, false, 'a node of the own cluster may have another');
  answer.address = at.address;
  assert.equal((await sessions.ask('node1@physics', 7, null, false)).ordinary, true);
});

describe('where a process may go', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-clusters-'));
  after(() => {
    rmSync(directory, { recursive: true });
  });

  test('to a partner only if the program and the partner may, and by none that may not pass it on', async () => {
    const { certificate: ca } = await makeAuthority('lab');
    const partner = (name: string, more: Partial<Partner> = {}): Partner => ({
      name,
      description: '',
      priority: 50,
      may_come: true,
      may_be_sent_to: true,
      may_pass_on: true,
      privileged: false,
      nodes: [],
      ca,
      ...more,
    });
    const partners = [
      partner('open'),
      partner('trusted', { privileged: true }),
      partner('closed', { may_be_sent_to: false }),
      partner('end', { may_pass_on: false }),
    ];
    const context = {
      configuration: () => ({ partners, paths: { state: directory } }),
      settings: new NodeSettings(path.join(directory, 'node.json')),
      clock: new SimulatedClock(),
    } as unknown as Context;
    const clusters = new Clusters(context, { ca, ask: () => Promise.reject(new Error('nobody')), onNodes: () => {} });
    const why = (to: string, abroad = true, at = 'home', rights: string | null = null): string | null =>
      clusters.whyNotTo(to, { abroad, at, privileges: () => rights });
    assert.equal(why('near', false, 'home', "root's rights"), null, 'within the cluster all may');
    assert.equal(why('x@open'), null);
    assert.match(why('x@open', false) ?? '', /it stays within its cluster: mosrun -G/);
    assert.match(why('x@unknown') ?? '', /unknown is no partner of this cluster/);
    assert.match(why('x@public-01234567') ?? '', /is no partner/, 'nothing is sent to who merely may come');
    assert.match(why('x@closed') ?? '', /may_be_sent_to in partners\/closed.toml/);
    assert.match(why('x@open', true, 'home', 'capabilities') ?? '', /it has capabilities, and such processes do not go to open/);
    assert.equal(why('x@trusted', true, 'home', "root's rights"), null);
    assert.deepEqual(
      [clusters.takesOrdinaryOnly('x@open'), clusters.takesOrdinaryOnly('x@trusted'), clusters.takesOrdinaryOnly('near')],
      [true, false, false],
    );
    assert.match(why('x@open', true, 'y@end') ?? '', /end, where it is, may not pass it on to open/);
    assert.equal(why('z@end', true, 'y@end'), null, 'within that cluster it may');
    assert.equal(why('near', true, 'y@end'), null, 'and to the own');
    assert.equal(why('x@open', true, 'y@trusted'), null);
    assert.deepEqual(
      [clusters.priorityOf(null), clusters.priorityOf('open'), clusters.priorityOf('public-01234567')],
      [0, 50, 65_535],
    );
    context.settings.change({ priorities: { open: 7 } });
    assert.equal(clusters.priorityOf('open'), 7);
  });
});

describe('the nodes of a partner', () => {
  const partner = (more: Partial<Partner> = {}): Partner => ({
    name: 'physics',
    description: '',
    priority: 50,
    may_come: true,
    may_be_sent_to: true,
    may_pass_on: true,
    privileged: false,
    nodes: [
      { address: '10.0.0.1', port: 7070 },
      { address: '10.0.0.2', port: 7070 },
    ],
    ca,
    ...more,
  });
  let ca = '';
  before(async () => {
    ca = (await makeAuthority('physics')).certificate;
  });
  const told = (number: number, more: object = {}) => ({
    name: `node${number}`,
    number,
    address: `10.0.0.${number}`,
    control_port: 7070,
    data_port: 7071,
    ...more,
  });

  function knocking() {
    const clock = new SimulatedClock();
    const state = { answers: null as Introduction | null, asked: [] as NodeAddress[], changes: 0 };
    const nodes = new PartnerNodes({
      clock,
      random: () => 0.99,
      ask: (node) => {
        state.asked.push(node);
        return state.answers ? Promise.resolve(state.answers) : Promise.reject(new Error('nobody is there'));
      },
      onChange: () => state.changes++,
    });
    nodes.replace([partner()]);
    nodes.start();
    return { clock, nodes, state };
  }

  test('are asked for at its addresses until somebody answers, and then now and then', async () => {
    const { clock, nodes, state } = knocking();
    await clock.settleUntil(clock.seconds() + 5);
    assert.ok(state.asked.length >= 3 && state.asked.length <= 8, `${state.asked.length}`);
    assert.deepEqual([state.asked[0]?.name, state.asked[0]?.address], ['@physics', '10.0.0.2']);
    assert.deepEqual(
      nodes.views().map(({ problem, nodes: count }) => [problem, count]),
      [['nobody is there', 0]],
    );
    state.answers = { cluster: 'Physics Department', nodes: [told(1), told(2)] };
    await clock.settleUntil(clock.seconds() + 15);
    assert.deepEqual(
      nodes.nodes().map(({ name, number, address, dataPort }) => [name, number, address, dataPort]),
      [
        ['node1@physics', 1, '10.0.0.1', 7071],
        ['node2@physics', 2, '10.0.0.2', 7071],
      ],
    );
    assert.match(nodes.nodes()[0]?.authority ?? '', /^[0-9a-f]{16}$/);
    assert.deepEqual(
      nodes.views().map(({ problem, callsItself }) => [problem, callsItself]),
      [[null, 'Physics Department']],
    );
    const before = state.asked.length;
    await clock.settleUntil(clock.seconds() + 100);
    assert.ok(state.asked.length - before <= 6, `${state.asked.length - before}`);
    assert.equal(state.changes, 1, 'the same again is no change');
    state.answers = { cluster: 'x', nodes: [told(2), told(3, { number: 2 }), told(2, { number: 9 }), told(4)] };
    await clock.settleUntil(clock.seconds() + 30);
    assert.deepEqual(
      nodes.nodes().map(({ name }) => name),
      ['node2@physics', 'node4@physics'],
      'of two with one name or number the first',
    );
    state.answers = null;
    await clock.settleUntil(clock.seconds() + 60);
    assert.equal(nodes.nodes().length, 2, 'they are known still when nobody answers');
    assert.equal(nodes.views()[0]?.problem, 'nobody is there');
    nodes.replace([]);
    assert.deepEqual(nodes.nodes(), []);
    nodes.stop();
  });
});
