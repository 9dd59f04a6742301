/** Strangers, other nodes and other users of the same node at the daemon's ports and sockets. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type Socket, connect } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import * as z from 'zod';
import type * as ClusterLayer from '../../lib/cluster/index.js';
import { type LaunchServices, launchServer } from '../../lib/daemon/launch-server.js';
import { MosrunError } from '../../lib/shared/errors.js';
import { TwoNodes, until } from '../daemon/two-nodes.js';

const root = process.env['MOSRUN_SOURCE'] ?? process.cwd();
const NOBODY = 65534;
const DAEMON = 1;

interface Answer {
  status: number;
  body: string;
}

describe('ports and sockets', { skip: process.getuid?.() === 0 ? false : 'other users need root', timeout: 120_000 }, () => {
  let two: TwoNodes;
  const helpers: ChildProcess[] = [];
  before(async () => {
    two = await TwoNodes.up();
  });
  after(async () => {
    for (const one of helpers) one.kill('SIGKILL');
    await two.down();
  });

  const controlPort = (number: number): number =>
    Number(/control_port = (\d+)/.exec(readFileSync(two.configuration(number), 'utf8'))?.[1]);
  const ca = (): Buffer => readFileSync(path.join(two.directory, 'etc/ca.pem'));
  interface Credentials {
    cert?: string | Buffer;
    key?: string | Buffer;
  }
  const member = (): Credentials => ({
    cert: readFileSync(path.join(two.directory, 'etc/nodes/node2/node.pem')),
    key: readFileSync(path.join(two.directory, 'etc/nodes/node2/node.key')),
  });

  /** Asks node1 as another node would; a refused handshake is an error's text. */
  const ask = (credentials: Credentials, method = 'GET', target = '/v1/heartbeat', body = ''): Promise<Answer | string> =>
    new Promise((resolve) => {
      const asked = request(
        {
          host: '127.0.0.1',
          port: controlPort(1),
          path: target,
          method,
          servername: 'node1',
          ca: ca(),
          ...credentials,
          agent: false,
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (more: string) => (text += more));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
        },
      );
      asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end(body);
    });

  /** A certificate that is wrong in one way, made with the cluster's own authority unless it signs itself. */
  async function certificate(wrong: { name?: string; expired?: boolean; usage?: string; self?: boolean }): Promise<Credentials> {
    const algorithm = { name: 'Ed25519' };
    x509.cryptoProvider.set(webcrypto);
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const authority = new x509.X509Certificate(readFileSync(path.join(two.directory, 'etc/ca.pem'), 'utf8'));
    const authorityKey = x509.PemConverter.decodeFirst(readFileSync(path.join(two.directory, 'etc/ca.key'), 'utf8'));
    const signingKey = wrong.self
      ? keys.privateKey
      : await webcrypto.subtle.importKey('pkcs8', authorityKey, algorithm, false, ['sign']);
    const day = 86_400_000;
    const made = await x509.X509CertificateGenerator.create({
      subject: `CN=${wrong.name ?? 'node2'}`,
      issuer: wrong.self ? 'CN=node2' : authority.subject,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      notBefore: new Date(Date.now() - 3 * day),
      notAfter: new Date(Date.now() + (wrong.expired ? -day : day)),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([wrong.usage ?? x509.ExtendedKeyUsage.clientAuth]),
      ],
    });
    const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
    return { cert: made.toString('pem'), key };
  }

  const silence = async (count: number): Promise<Socket[]> => {
    const sockets = Array.from({ length: count }, () => connect(controlPort(1), '127.0.0.1').on('error', () => {}));
    await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
    return sockets;
  };

  void test('a certificate opens the control port only if it is right in every way', async () => {
    assert.equal(typeof (await ask({})), 'string', 'none');
    assert.equal(typeof (await ask(await certificate({ expired: true }))), 'string', 'expired');
    assert.equal(typeof (await ask(await certificate({ self: true }))), 'string', 'signed by itself');
    assert.equal(
      typeof (await ask(await certificate({ usage: x509.ExtendedKeyUsage.codeSigning }))),
      'string',
      'for another use',
    );
    assert.equal(
      typeof (await ask(await certificate({ usage: x509.ExtendedKeyUsage.serverAuth }))),
      'string',
      'of a server alone',
    );
    const unknown = await ask(await certificate({ name: 'node9' }));
    assert.equal(typeof unknown === 'string' ? unknown : unknown.status, 403, 'of a node that is not in the list');
    const right = await ask(await certificate({}));
    assert.equal(typeof right === 'string' ? right : right.status, 200, 'control: the same with nothing wrong');
  });

  void test('a node speaks to no node that is another than it should be', async () => {
    const { cert = '', key = '' } = member();
    const { PeerClient } = (await import(path.join(root, 'dist/lib/cluster/index.js'))) as typeof ClusterLayer;
    const client = new PeerClient({ ca: ca().toString(), certificate: cert.toString(), key: key.toString() });
    const at = { number: 1, address: '127.0.0.1', controlPort: controlPort(1), dataPort: 1 };
    const question = { method: 'GET', path: '/v1/heartbeat', connectSeconds: 5, timeoutSeconds: 5 } as const;
    try {
      await assert.rejects(client.ask({ ...at, name: 'node2' }, question, z.object({})), { code: 'unreachable' });
      await client.ask({ ...at, name: 'node1' }, question, z.object({ node: z.literal('node1') }));
    } finally {
      client.close();
    }
  });

  void test('a node asks for itself alone, and for little', async () => {
    const session = {
      protocol: 1,
      home: 'node1',
      pid: 1,
      command: 'x',
      uid: 0,
      threads: 1,
      memory_bytes: 1,
      kernel: '6.1',
      cpu_hash: '',
      pid_max: 1,
      encrypt: false,
    };
    const inAnothersName = await ask(member(), 'POST', '/v1/sessions', JSON.stringify(session));
    assert.match(JSON.stringify(inAnothersName), /403.*asks in the name of/);
    const dropped = await ask(member(), 'DELETE', '/v1/sessions/00000000000000aa');
    assert.match(JSON.stringify(dropped), /200.*false/);
    const long = await ask(member(), 'POST', '/v1/sessions', JSON.stringify({ ...session, command: 'x'.repeat(16 << 20) }));
    assert.ok(typeof long === 'string' || [400, 413].includes(long.status), JSON.stringify(long).slice(0, 200));
    for (const body of ['', '[]', '{"home":"node2"}', '\u0000', '{'.repeat(60_000)]) {
      const answer = await ask(member(), 'POST', '/v1/sessions', body);
      assert.ok(typeof answer !== 'string' && answer.status === 400, JSON.stringify(answer));
    }
  });

  void test('a thousand silent strangers take the control port, but not the node', async () => {
    const sockets = await silence(1000);
    try {
      assert.ok(sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length <= 1000);
      assert.equal((await two.call('mosctl', ['status'])).status, 0);
      assert.equal((await two.call('mosrun', ['true'])).status, 0);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await two.bothUp();
  });

  // --- other users of the same node -----------------------------------------------------------------------------------------

  const as = (uid: number) => ({ uid, gid: uid, cwd: '/' });

  void test("another user's process is not to be moved", async () => {
    const { pid } = await two.launch(['sleep', '100']);
    for (const words of [['migrate', `${pid}`, 'node2']]) {
      const [command = '', ...rest] = words;
      const { status, stdout, stderr } = await two.call(command, rest, 1, as(NOBODY));
      assert.deepEqual([status, stdout], [77, ''], words.join(' '));
      assert.match(stderr, /belongs to somebody else/);
      assert.equal((await two.call(command, rest)).status, 0, `control: root may ${words.join(' ')}`);
    }
  });

  void test('nobody launches in the name of another process', async () => {
    // The process connects as nobody and is root's when it speaks: as if its number had been given away in between.
    const script = `
      const net = require('node:net');
      const string = (text) => Buffer.from(text + '\\0');
      const count = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
      const body = Buffer.concat([Buffer.from([1, 0]), count(2), string('mosrun'), string('true'), string('/'), count(0)]);
      const head = Buffer.concat([count(body.length), Buffer.from('L')]);
      if (process.argv[2] === 'nobody') process.seteuid(${NOBODY});
      const socket = net.connect(process.argv[1], () => {
        if (process.argv[2] === 'nobody') process.seteuid(0);
        socket.write(Buffer.concat([head, body]));
      });
      socket.on('data', (data) => process.stdout.write(data));`;
    const launch = async (who: string): Promise<string> => {
      const child = spawn(process.execPath, ['-e', script, path.join(two.runtime(1), 'launch.sock'), who], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      helpers.push(child);
      let said = '';
      child.stdout.setEncoding('latin1').on('data', (text: string) => (said += text));
      await once(child, 'close');
      return said;
    };
    assert.match(await launch('nobody'), /E.*belongs to somebody else/s);
    assert.match(await launch('root'), /^....G/s, 'control: as itself it may');
  });

  void test('what another node says does not reach the terminal as it is', async () => {
    const server = launchServer({
      interpret: () => {
        throw new MosrunError('refused', 'no\u001b]0;evil\u0007\r\u009b2J');
      },
      identify: () => ({ pid: process.pid, uid: 0, gid: 0 }),
    } as unknown as LaunchServices);
    const at = path.join(two.directory, 'own-launch.sock');
    await new Promise<void>((resolve) => server.listen(at, resolve));
    const socket = connect(at);
    const body = Buffer.from('\u0001\0\u0001\0\0\0mosrun\0/\0\0\0\0\0', 'latin1');
    const head = Buffer.alloc(5, 'L');
    head.writeUInt32LE(body.length, 0);
    socket.write(Buffer.concat([head, body]));
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(socket, 'close');
    server.close();
    assert.match(said, /mosrun: no\?\]0;evil\?\?\?2J\n/);
  });

  /** An error on the way is one way to be closed. */
  const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()));

  /** Opens many connections as a user, and keeps them; how many were not closed at once. */
  async function flood(uid: number, socket: string, count: number): Promise<number> {
    const script = `
      const net = require('node:net');
      let open = 0, settled = 0;
      for (let i = 0; i < ${count}; i++) {
        const socket = net.connect(${JSON.stringify(socket)});
        socket.on('connect', () => open++).on('close', () => open--).on('error', () => {}).resume();
      }
      setTimeout(() => console.log('open', open), 1500);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['-e', script], { ...as(uid), stdio: ['ignore', 'pipe', 'inherit'] });
    helpers.push(child);
    const [text] = (await once(child.stdout, 'data')) as [Buffer];
    return Number(/open (\d+)/.exec(text.toString())?.[1]);
  }

  void test('a user who connects without end leaves room for others', async () => {
    for (const name of ['mosd.sock', 'launch.sock']) {
      const open = await flood(NOBODY, path.join(two.runtime(1), name), 400);
      assert.ok(open <= 128, `${open} connections to ${name}`);
    }
    assert.notEqual((await two.call('mosctl', ['status'], 1, as(NOBODY))).status, 0, 'control: his own next one is refused');
    assert.equal((await two.call('mosctl', ['status'], 1, as(DAEMON))).status, 0, 'another user is answered');
    assert.equal((await two.call('mosrun', ['true'], 1, as(DAEMON))).status, 0, 'and may launch');
    for (const one of helpers.splice(0)) one.kill('SIGKILL');
    await until(
      'his connections to be forgotten',
      async () => (await two.call('mosctl', ['status'], 1, as(NOBODY))).status === 0,
    );
  });

  void test('requests without end are refused', async () => {
    const posting = connect(path.join(two.runtime(1), 'mosd.sock'));
    let said = '';
    posting
      .on('error', () => {})
      .setEncoding('utf8')
      .on('data', (text: string) => (said += text));
    const head = 'POST /v1/processes/1/migrate HTTP/1.1\r\nHost: mosd\r\nContent-Type: application/json\r\n';
    posting.write(`${head}Content-Length: ${64 << 20}\r\n\r\n{"to":"${'x'.repeat(1 << 20)}`);
    await until('it to be refused', () => /^HTTP\/1.1 4\d\d /.test(said) || posting.destroyed);
    posting.destroy();
    for (const start of [Buffer.from([255, 255, 255, 255, 76]), Buffer.from([0, 0, 0, 1, 76])]) {
      const socket = connect(path.join(two.runtime(1), 'launch.sock'));
      socket.on('error', () => {}).resume();
      socket.write(start);
      await closed(socket);
    }
    const silent = connect(path.join(two.runtime(1), 'launch.sock'));
    silent.on('error', () => {}).resume();
    const began = performance.now();
    await closed(silent);
    assert.ok(performance.now() - began < 15_000, 'one that says nothing is let go');
    assert.equal((await two.call('mosrun', ['true'])).status, 0);
  });

  void test('what the daemon keeps is for root alone', async () => {
    await two.launch(['sleep', '100']);
    const open: string[] = [];
    const walk = (directory: string): void => {
      for (const name of readdirSync(directory)) {
        const file = path.join(directory, name);
        const status = lstatSync(file);
        if (status.mode & 0o077 && !status.isSymbolicLink()) open.push(path.relative(two.directory, file));
        else if (status.isDirectory()) walk(file);
      }
    };
    for (const number of [1, 2]) walk(two.runtime(number));
    const fixtures = ['calls', 'behaviour', 'gate.sock'].flatMap((name) => [`run1/${name}`, `run2/${name}`]);
    assert.deepEqual(
      open.filter((file) => !fixtures.includes(file) && !/processes/.test(file)).sort(),
      ['run1/launch.sock', 'run1/mosd.sock', 'run2/launch.sock', 'run2/mosd.sock'],
      'two sockets of the daemon for everybody',
    );
    for (const file of ['etc/node.key', 'etc/ca.key', 'etc/nodes/node2/node.key']) {
      assert.equal(lstatSync(path.join(two.directory, file)).mode & 0o777, 0o600, file);
    }
    writeFileSync(path.join(two.directory, 'readable'), '', { mode: 0o644 });
    open.length = 0;
    walk(two.directory);
    assert.ok(open.includes('readable'), 'control: one that is open is found');
  });
});
