/** Nodes of other clusters at the control port: partners, a cluster that nobody knows, and what each of them may. */
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import * as z from 'zod';
import type * as ClusterLayer from '../../lib/cluster/index.js';
import type { GuestDocument, NodeDocument, StatusDocument } from '../../lib/shared/documents.js';
import { PROTOCOL_VERSION } from '../../lib/shared/version.js';
import { TwoNodes, until } from '../daemon/two-nodes.js';

const root = process.env['MOSRUN_SOURCE'] ?? process.cwd();

interface Answer {
  status: number;
  body: string;
}
interface Credentials {
  cert: string;
  key: string;
  agent?: Agent;
}

describe('other clusters', { skip: process.getuid?.() === 0 ? false : 'the daemons need root', timeout: 120_000 }, () => {
  let two: TwoNodes;
  before(async () => {
    two = await TwoNodes.up();
    for (const name of ['physics', 'unknown', 'other']) {
      const words = ['--node', 'node1', '--address', '127.0.0.1', '--directory', etcOf(name), '--no-start'];
      await two.expect('mosconf', ['init', '--cluster', name, ...words, '--control-port', '1']);
      await two.expect('mosconf', [
        'add',
        'node2',
        '--number',
        '2',
        '--address',
        '127.0.0.1',
        '--control-port',
        '2',
        '--data-port',
        '3',
        '--directory',
        etcOf(name),
      ]);
      await two.expect('mosconf', ['tool', 'grip', '--operate', '--directory', etcOf(name)]);
    }
    await two.expect('mosconf', [
      'partner',
      'export',
      '--directory',
      etcOf('physics'),
      '--output',
      path.join(two.directory, 'physics.toml'),
    ]);
    await partner();
  });
  after(() => two?.down());

  const etcOf = (cluster: string): string => path.join(two.directory, cluster);
  const read = (...at: string[]): string => readFileSync(path.join(two.directory, ...at), 'utf8');
  const controlPort = (number: number): number =>
    Number(/control_port = (\d+)/.exec(readFileSync(two.configuration(number), 'utf8'))?.[1]);
  const status = (): Promise<StatusDocument> => two.json<StatusDocument>('mosctl', ['status']);

  /** A node's certificate, with its authority's as nodes send it to other clusters. */
  const nodeOf = (cluster: string, node = 'node1'): Credentials => {
    const at = node === 'node1' ? [cluster] : [cluster, 'nodes', node];
    return { cert: read(...at, 'node.pem') + read(cluster, 'ca.pem'), key: read(...at, 'node.key') };
  };

  const partnerFile = (): string => path.join(two.directory, 'etc/partners/physics.toml');
  /** Has node1 know physics so and so, and waits until it does. */
  async function partner(...changes: [string, string][]): Promise<void> {
    await two.expect('mosconf', [
      'partner',
      'add',
      'physics',
      path.join(two.directory, 'physics.toml'),
      '--priority',
      '50',
      '--force',
      '--directory',
      path.join(two.directory, 'etc'),
    ]);
    let text = readFileSync(partnerFile(), 'utf8');
    for (const [from, to] of changes) {
      assert.ok(text.includes(from), from);
      text = text.replace(from, to);
    }
    writeFileSync(partnerFile(), text);
    two.reload(1);
    await until('node1 to know physics', async () =>
      (await status()).partners.some(
        (one) =>
          JSON.stringify(one).includes('"priority":50') &&
          changes.every(([, to]) => JSON.stringify(one).includes(to.replace(/^(\w+) = /, '"$1":'))),
      ),
    );
  }

  const ask = (
    credentials: Credentials | object,
    method = 'GET',
    target = '/v1/heartbeat',
    body?: object,
  ): Promise<Answer | string> =>
    new Promise((resolve) => {
      const text = body ? JSON.stringify(body) : '';
      const where = {
        host: '127.0.0.1',
        port: controlPort(1),
        path: target,
        method,
        servername: 'node1',
        ca: read('etc', 'ca.pem'),
      };
      const asked = request({ agent: false, ...where, ...credentials }, (answer) => {
        let said = '';
        answer.setEncoding('utf8').on('data', (more: string) => (said += more));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: said }));
      });
      asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end(text);
    });
  const statusOf = (answer: Answer | string): number | string => (typeof answer === 'string' ? 'cut off' : answer.status);

  /** A request for a session that node1 takes, unless something is wrong with it. */
  async function session(more: object = {}): Promise<object> {
    const own = JSON.parse(
      ((await ask({ cert: read('etc/nodes/node2/node.pem'), key: read('etc/nodes/node2/node.key') })) as Answer).body,
    ) as { kernel: string; cpu_hash: string };
    const { kernel, cpu_hash } = own;
    return {
      protocol: PROTOCOL_VERSION,
      home: 'node1',
      pid: 7,
      command: 'x',
      uid: 1000,
      threads: 1,
      memory_bytes: 1,
      kernel,
      cpu_hash,
      pid_max: 1,
      encrypt: false,
      ...more,
    };
  }
  const guests = async (): Promise<GuestDocument[]> => (await two.json<{ guests: GuestDocument[] }>('mosps', [])).guests;
  const open = async (credentials: Credentials, more: object = {}): Promise<Answer | string> =>
    ask(credentials, 'POST', '/v1/sessions', await session(more));

  void test('which cluster a node is of follows from its authority, not from what it says', async () => {
    const [ours, theirs] = [
      { cert: read('etc/nodes/node2/node.pem'), key: read('etc/nodes/node2/node.key') },
      nodeOf('physics', 'node2'),
    ];
    assert.equal(statusOf(await ask(theirs)), 200);
    // In this order: where better ones are, theirs does not come.
    const opened = { theirs: await open(theirs, { home: 'node2' }), ours: await open(ours, { home: 'node2' }) };
    const sessions = Object.fromEntries(
      Object.entries(opened).map(([whose, answer]) => [
        whose,
        (JSON.parse((answer as Answer).body) as { session: string }).session,
      ]),
    );
    const seen = await guests();
    assert.deepEqual(
      Object.values(sessions)
        .map((one) => seen.find((guest) => guest.session === one))
        .map((guest) => [guest?.home, guest?.cluster, guest?.priority]),
      [
        ['node2@physics', 'physics', 50],
        ['node2', 'test', 0],
      ],
    );
    assert.equal(
      statusOf(await ask(theirs, 'GET', `/v1/sessions/${sessions['ours']}`)),
      404,
      'a session of our node2 is not theirs',
    );
    assert.match(JSON.stringify(await ask(theirs, 'DELETE', `/v1/sessions/${sessions['ours']}`)), /false/);
    assert.equal(statusOf(await open(theirs, { home: 'node2@test' })), 403);
    assert.equal(statusOf(await open(theirs, { home: 'node1' })), 403);
    assert.equal(statusOf(await ask(theirs, 'GET', '/v1/list')), 403, 'the list is for the own nodes');
    for (const [whose, credentials] of [
      ['ours', ours],
      ['theirs', theirs],
    ] as const)
      assert.match(JSON.stringify(await ask(credentials, 'DELETE', `/v1/sessions/${sessions[whose]}`)), /true/);
    // What it says of its nodes is kept apart from ours.
    const named = await two.json<{ nodes: NodeDocument[] }>('mosctl', ['nodes']);
    assert.deepEqual(
      named.nodes.filter(({ partner: isOne }) => !isOne).map(({ name, cluster }) => [name, cluster]),
      [
        ['node1', 'test'],
        ['node2', 'test'],
      ],
    );
  });

  void test("a partner's tool is nobody here", async () => {
    const tool = { cert: read('physics/tools/grip/tool.pem') + read('physics/ca.pem'), key: read('physics/tools/grip/tool.key') };
    assert.equal(statusOf(await ask(tool, 'GET', '/v1/status')), 'cut off');
    assert.equal(statusOf(await ask(tool, 'POST', '/v1/settings', { blocked: true })), 'cut off');
    await two.expect('mosconf', ['tool', 'grip', '--operate', '--directory', path.join(two.directory, 'etc')]);
    const ours = { cert: read('etc/tools/grip/tool.pem'), key: read('etc/tools/grip/tool.key') };
    assert.equal(statusOf(await ask(ours, 'GET', '/v1/status')), 200, 'control: one of this cluster is somebody');
  });

  void test('a node of a cluster that is not known is told so, and nothing else, and so is the administrator here', async () => {
    const stranger = nodeOf('unknown');
    for (const [method, target] of [
      ['GET', '/v1/heartbeat'],
      ['GET', '/v1/cluster'],
      ['GET', '/v1/status'],
      ['POST', '/v1/sessions'],
      ['POST', '/v1/join'],
    ] as const) {
      const answer = (await ask(stranger, method, target, method === 'POST' ? await session() : undefined)) as Answer;
      assert.equal(answer.status, 403, target);
      assert.match(
        answer.body,
        /cluster test does not know the cluster of node1, whose authority has the fingerprint [0-9a-f]{64}/,
      );
      assert.doesNotMatch(answer.body, /node2/);
    }
    const [entry] = (await status()).turned_away;
    assert.match(entry?.cluster ?? '', /^public-[0-9a-f]{8}$/);
    assert.ok((entry?.count ?? 0) >= 5 && entry?.fingerprint?.startsWith(entry.cluster?.slice(7) ?? '-'), JSON.stringify(entry));
    const shown = await two.expect('mosctl', ['status']);
    assert.match(
      shown,
      /turned away +node1@public-[0-9a-f]{8}, 127\.0\.0\.1: \d+ times, last \d+ s ago: cluster test does not know/,
    );
    assert.deepEqual(await guests(), []);
    // Of its own authority alone nothing is known to tell.
    assert.equal(statusOf(await ask({ cert: read('unknown/node.pem'), key: read('unknown/node.key') })), 'cut off');
  });

  void test('who is no partner any more is not listened to, on a connection that is open either', async () => {
    const kept = { ...nodeOf('physics'), agent: new Agent({ keepAlive: true, maxSockets: 1 }) };
    try {
      assert.equal(statusOf(await ask(kept)), 200);
      await two.expect('mosconf', ['partner', 'remove', 'physics', '--directory', path.join(two.directory, 'etc')]);
      two.reload(1);
      await until('it to be forgotten', async () => (await status()).partners.length === 0);
      assert.match(JSON.stringify(await ask(kept)), /403.*does not know the cluster of node1/);
      assert.equal(statusOf(await open(nodeOf('physics'))), 403);
    } finally {
      kept.agent.destroy();
      await partner();
    }
    assert.equal(statusOf(await ask(nodeOf('physics'))), 200);
  });

  void test('what a partner may not, and what its privileged processes may not, is refused with the reason', async () => {
    const refused = async (message: RegExp, more: object = {}): Promise<void> => {
      const answer = (await open(nodeOf('physics'), more)) as Answer;
      assert.equal(answer.status, 409, answer.body);
      assert.match(answer.body, message);
    };
    await refused(/it has root's rights, and no such process of physics comes here/, { uid: 0 });
    await refused(/it has capabilities, and no such process/, { privileged: 'capabilities' });
    await partner(['privileged = false', 'privileged = true']);
    const opened = (await open(nodeOf('physics'), { uid: 0 })) as Answer;
    assert.equal(opened.status, 200);
    await ask(nodeOf('physics'), 'DELETE', `/v1/sessions/${(JSON.parse(opened.body) as { session: string }).session}`);
    await partner(['may_come = true', 'may_come = false']);
    await refused(/processes of physics may not come: may_come in partners\/physics.toml/);
    assert.match(((await ask(nodeOf('physics'))) as Answer).body, /"state":"blocked"/, 'and it is told so beforehand');
    await partner();
    await two.expect('mosctl', ['closegrid']);
    await refused(/takes no guests of other clusters \(mosctl opengrid\)/);
    await two.expect('mosctl', ['opengrid']);
    await two.expect('mosctl', ['gridguests', '0']);
    await refused(/takes 0 at most \(mosctl gridguests\)/);
    await two.expect('mosctl', ['gridguests', 'all']);
    const { events } = await refusals();
    assert.ok(events.includes("root's rights") && events.includes('may_come'), 'the node tells of each');
  });

  void test('a home of another cluster has a guest sent on to no node that is not known', async () => {
    const { session: opened } = JSON.parse(((await open(nodeOf('physics'))) as Answer).body) as { session: string };
    const next = { pid: 1, session: 'a'.repeat(16), key: 'b'.repeat(64), memory: 1, large: false, encrypted: false };
    const link = async (address: string, port: number): Promise<string> =>
      JSON.stringify(await ask(nodeOf('physics'), 'POST', `/v1/sessions/${opened}/link`, { ...next, address, port }));
    assert.match(
      await link('192.0.2.1', 7071),
      /409.*knows no node with data port 192\.0\.2\.1:7071: bring the process home first/,
    );
    assert.match(await link('127.0.0.1', controlPort(2)), /knows no node with data port/);
    const dataPort = Number(/data_port = (\d+)\n(?![^]*data_port)/.exec(readFileSync(two.configuration(1), 'utf8'))?.[1]);
    assert.doesNotMatch(await link('127.0.0.1', dataPort), /knows no node/, 'control: to one that is known it gets further');
    await ask(nodeOf('physics'), 'DELETE', `/v1/sessions/${opened}`);
  });

  /** What the node has told of those it refused. */
  async function refusals(): Promise<{ events: string }> {
    return {
      events: two
        .log(1)
        .split('\n')
        .filter((line) => line.includes('session refused'))
        .join('\n'),
    };
  }

  void test('root gives a partner another priority, which outlasts the daemon, and takes it back', async () => {
    const priority = async (): Promise<(number | undefined)[]> => {
      const [one] = (await status()).partners;
      return [one?.priority, one?.configured_priority];
    };
    const refused = async (words: string[], exit: number, message: RegExp): Promise<void> => {
      const { status: code, stderr } = await two.call('mosctl', words);
      assert.equal(code, exit, stderr);
      assert.match(stderr, message);
    };
    await two.expect('mosctl', ['cngpri', 'physics', '7']);
    assert.deepEqual(await priority(), [7, 50]);
    assert.match(
      await two.expect('mosctl', ['status']),
      /partner +physics: priority 7 \(mosctl cngpri; 50 in its file\), cannot be asked: /,
    );
    await two.end(1, 'SIGTERM');
    two.start(1);
    await two.bothUp();
    assert.deepEqual(await priority(), [7, 50]);
    await two.expect('mosctl', ['cngpri', 'physics', 'file']);
    assert.deepEqual(await priority(), [50, 50]);
    await refused(['cngpri', 'nobody', '7'], 1, /there is no partner nobody/);
    await refused(['cngpri', 'physics', '0'], 2, /a priority from 1 to 65534, lower is better, or file, not "0"/);
    await refused(['cngpri', 'physics'], 2, /a priority from 1 to 65534/);
    await refused(['gridguests', 'some'], 2, /gridguests wants a number, or all, not "some"/);
    await refused(['opengrid', 'now'], 2, /"now" is too much/);
    const { status: code } = await two.call('mosctl', ['cngpri', 'physics', '7'], 1, { uid: 65_534, gid: 65_534, cwd: '/' });
    assert.equal(code, 77, 'root alone');
  });

  void test('a wrong file of a partner changes nothing, and status names file, line and what is wanted', async () => {
    const good = readFileSync(partnerFile(), 'utf8');
    writeFileSync(partnerFile(), good.replace('priority = 50', 'priority = 0'));
    two.reload(1);
    await until('the error', async () => /physics\.toml:\d+: priority: .*>=1/.test((await status()).configuration.error ?? ''));
    assert.equal((await status()).partners[0]?.priority, 50);
    assert.equal(statusOf(await ask(nodeOf('physics'))), 200);
    writeFileSync(partnerFile(), good);
    two.reload(1);
    await until('no error', async () => (await status()).configuration.error === null);
  });

  void test('public: who is right in itself may come, is known by its whole authority, and is worse than all', async () => {
    assert.equal(statusOf(await ask(nodeOf('unknown'))), 403, 'not unless it is configured');
    appendFileSync(two.configuration(1), '\n[guests]\npublic = true\n');
    two.reload(1);
    await until('node1 to take public guests', async () => statusOf(await ask(nodeOf('unknown'))) === 200);
    const opened = (await open(nodeOf('unknown'))) as Answer;
    assert.equal(opened.status, 200, opened.body);
    const [guest] = await guests();
    assert.match(guest?.home ?? '', /^node1@public-[0-9a-f]{8}$/);
    assert.equal(guest?.priority, 65_535);
    await ask(nodeOf('unknown'), 'DELETE', `/v1/sessions/${(JSON.parse(opened.body) as { session: string }).session}`);
    assert.match(((await open(nodeOf('unknown'), { uid: 0 })) as Answer).body, /it has root's rights/);
    // Somebody else's authority beside a certificate of one's own, a certificate that has expired, one for servers alone, a tool's: none of it is a cluster.
    const mixed = { ...nodeOf('other'), cert: read('other/node.pem') + read('unknown/ca.pem') };
    assert.equal(statusOf(await ask(mixed)), 'cut off');
    for (const wrong of [
      { expired: true },
      { usage: x509.ExtendedKeyUsage.serverAuth },
      { subject: 'OU=operator, CN=grip' },
      { subject: 'CN=no/name' },
      { ca: false },
    ])
      assert.equal(statusOf(await ask(await certificate(wrong))), 'cut off', JSON.stringify(wrong));
    assert.equal(statusOf(await ask(await certificate({}))), 200, 'control: the same with nothing wrong');
    // Its name is another's already.
    const pins = path.join(two.directory, 'state1/public-clusters.json');
    const kept = JSON.parse(readFileSync(pins, 'utf8')) as { clusters: { name: string; fingerprint: string }[] };
    for (const pin of kept.clusters) if (pin.name === guest?.cluster) pin.fingerprint = '0'.repeat(64);
    writeFileSync(pins, JSON.stringify(kept));
    await two.end(1, 'SIGTERM');
    two.start(1);
    await two.bothUp();
    assert.match(((await ask(nodeOf('unknown'))) as Answer).body, /another cluster came first that is called public-/);
  });

  /** A cluster of its own: an authority, and a node's certificate that is wrong in one way. */
  async function certificate(wrong: { expired?: boolean; usage?: string; subject?: string; ca?: boolean }): Promise<Credentials> {
    const algorithm = { name: 'Ed25519' };
    x509.cryptoProvider.set(webcrypto);
    const pair = async (): Promise<webcrypto.CryptoKeyPair> =>
      (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const [authority, node] = [await pair(), await pair()];
    const day = 86_400_000;
    const times = { notBefore: new Date(Date.now() - 3 * day), notAfter: new Date(Date.now() + day) };
    const ca = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=a cluster',
      keys: authority,
      signingAlgorithm: algorithm,
      ...times,
      extensions: [new x509.BasicConstraintsExtension(wrong.ca ?? true, undefined, true)],
    });
    const made = await x509.X509CertificateGenerator.create({
      subject: wrong.subject ?? 'CN=node1',
      issuer: ca.subject,
      publicKey: node.publicKey,
      signingKey: authority.privateKey,
      signingAlgorithm: algorithm,
      ...times,
      notAfter: new Date(Date.now() + (wrong.expired ? -day : day)),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([wrong.usage ?? x509.ExtendedKeyUsage.clientAuth]),
      ],
    });
    const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', node.privateKey), 'PRIVATE KEY');
    return { cert: `${made.toString('pem')}\n${ca.toString('pem')}`, key };
  }

  void test('a node of one cluster does not pass for one of another', async () => {
    const { PeerClient } = (await import(path.join(root, 'dist/lib/cluster/index.js'))) as typeof ClusterLayer;
    const own = { ca: read('etc/ca.pem'), certificate: read('etc/nodes/node2/node.pem'), key: read('etc/nodes/node2/node.key') };
    const authorities: Record<string, string> = { physics: read('physics/ca.pem'), same: own.ca };
    const client = new PeerClient(own, undefined, (cluster) => authorities[cluster] ?? null);
    const at = { number: 1, address: '127.0.0.1', controlPort: controlPort(1), dataPort: 1 };
    const question = { method: 'GET', path: '/v1/heartbeat', connectSeconds: 5, timeoutSeconds: 5 } as const;
    const asks = (name: string): Promise<unknown> => client.ask({ ...at, name }, question, z.looseObject({}));
    try {
      await assert.rejects(asks('node1@physics'), { code: 'unreachable' });
      await assert.rejects(asks('@physics'), { code: 'unreachable' });
      await assert.rejects(asks('node1@nobody'), { code: 'unknown-node' });
      await asks('node1@same');
      await asks('@same');
    } finally {
      client.close();
    }
  });

  void test('mosconf says what is wrong with a partner before anything is written', async () => {
    const etc = path.join(two.directory, 'etc');
    const refused = async (words: string[], message: RegExp): Promise<void> => {
      const { status: code, stderr } = await two.call('mosconf', ['partner', ...words, '--directory', etc]);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    };
    const file = path.join(two.directory, 'x.toml');
    await refused(['add', 'x', file], /x\.toml cannot be read \(ENOENT\)/);
    writeFileSync(file, 'nodes = ["127.0.0.1"]\nca = "nonsense"\n');
    await refused(['add', 'x', file], /no certificate in PEM/);
    writeFileSync(file, `nodes = ["127.0.0.1"]\nca = """\n${read('physics/node.pem')}"""\n`);
    await refused(['add', 'x', file], /no authority's certificate/);
    writeFileSync(file, `nodes = ["localhost"]\nca = """\n${read('other/ca.pem')}"""\n`);
    await refused(['add', 'x', file], /nodes\.0: an IPv4 address is wanted/);
    writeFileSync(file, `nodes = ["127.0.0.1"]\nca = """\n${read('etc/ca.pem')}"""\n`);
    await refused(['add', 'x', file], /that is the authority of this cluster/);
    await refused(['add', 'test', path.join(two.directory, 'physics.toml')], /the name of this cluster itself/);
    await refused(['add', 'again', path.join(two.directory, 'physics.toml')], /that is the authority of partner (physics|again)/);
    await refused(['add', 'public-x', path.join(two.directory, 'physics.toml')], /names that begin with public-/);
    await refused(['add', 'x', file, '--priority', '0'], /1 to 65534/);
    await refused(['remove', 'x'], /there is no partner x/);
    assert.ok(!existsSync(path.join(etc, 'partners/x.toml')) && !existsSync(path.join(etc, 'partners/again.toml')));
    assert.match(
      await two.expect('mosconf', ['partner', 'list', '--directory', etc]),
      /^physics +50 +yes +yes +yes +(yes|no) +127\.0\.0\.1:1,127\.0\.0\.1:2 /m,
    );
    assert.match(await two.expect('mosconf', ['check', '--directory', etc]), /1 partner\n$/);
    mkdirSync(path.join(etc, 'partners'), { recursive: true });
    rmSync(file);
  });
});
