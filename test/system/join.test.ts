/** From nothing to a running cluster of three hosts in three commands; and who is not let in. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { whySkipped } from './programs.js';
import { pidOfJob } from './storm.js';
import { type Outcome, Testbed, until, whyNoTestbed } from './testbed.js';

interface ListedNode {
  name: string;
  number: number;
  address: string;
  state: string;
  why: string | null;
}

describe('joining a cluster', { skip: whyNoTestbed() ?? false }, () => {
  let testbed: Testbed;
  const etc: Record<number, string> = {};
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-join-'));

  before(async () => {
    testbed = await Testbed.up(4, '--no-daemons');
    for (const number of [1, 2, 3, 4]) etc[number] = path.join(testbed.node(number).directory, 'etc');
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  async function ok(node: number, ...command: string[]): Promise<string> {
    const { status, stdout, stderr } = await testbed.run(node, command);
    assert.equal(status, 0, `${command.join(' ')}: ${stderr}`);
    return stdout;
  }
  const nodesOf = async (node: number): Promise<ListedNode[]> => {
    const { status, stdout } = await testbed.run(node, ['mosctl', 'nodes', '--json']);
    return status === 0 ? (JSON.parse(stdout) as { nodes: ListedNode[] }).nodes : [];
  };
  const start = async (node: number): Promise<void> => {
    assert.equal((await testbed.control('start-daemon', `${node}`)).status, 0);
  };
  const seesUp = (node: number, names: string[]): Promise<unknown> =>
    until(
      async () => {
        const up = (await nodesOf(node)).filter(({ state }) => state === 'up').map(({ name }) => name);
        return up.join(' ') === names.join(' ');
      },
      15,
      `node${node} to see ${names.join(', ')} up`,
    );
  const invite = async (): Promise<string[]> => (await ok(1, 'mosconf', 'invite')).trim().split('\n').at(-1)?.split(' ') ?? [];
  async function refused(outcome: Promise<Outcome>, message: RegExp): Promise<void> {
    const { status, stderr } = await outcome;
    assert.notEqual(status, 0);
    assert.match(stderr, message);
  }

  void test('three commands, and each node sees all three', { timeout: 60_000 }, async () => {
    const said = await ok(1, 'mosconf', 'init', '--cluster', 'lab', '--invite', '2');
    await start(1);
    const lines = said.split('\n').filter((line) => line.startsWith('mosconf join '));
    assert.equal(lines.length, 2, said);
    assert.equal(new Set(lines).size, 2);
    for (const [index, line] of lines.entries()) {
      await until(async () => (await nodesOf(1)).length > 0, 10, 'mosd of node1');
      await ok(index + 2, ...line.split(' '));
      await start(index + 2);
    }
    for (const node of [1, 2, 3]) await seesUp(node, ['node1', 'node2', 'node3']);
    assert.deepEqual(
      (await nodesOf(3)).map(({ number, address }) => [number, address]),
      [1, 2, 3].map((number) => [number, `10.77.0.${number}`]),
      'number and address were found out',
    );
    for (const node of [1, 2, 3]) await ok(node, 'mosconf', 'check');
  });

  void test('a program moves there', { skip: whySkipped({ needs: ['sleep'] } as never) ?? false }, async () => {
    const running = testbed.start(1, ['mosrun', '-Jx', 'sleep', '600']);
    const pid = await pidOfJob(testbed, 'x');
    await ok(1, 'migrate', `${pid}`, 'node3', '--wait');
    await ok(1, 'migrate', `${pid}`, 'home', '--wait');
    await testbed.kill(1, pid);
    assert.equal((await running.within(10))?.signal, 'SIGTERM');
  });

  void test('the keys stay where they were made, and no secret is kept', async () => {
    for (const node of [1, 2, 3]) assert.equal(statSync(path.join(etc[node] ?? '', 'node.key')).mode & 0o777, 0o600);
    assert.equal(new Set([1, 2, 3].map((node) => readFileSync(path.join(etc[node] ?? '', 'node.key'), 'utf8'))).size, 3);
    assert.ok(!existsSync(path.join(etc[2] ?? '', 'ca.key')));
    assert.deepEqual(readdirSync(path.join(etc[1] ?? '', 'invitations')), [], 'used invitations are gone');
    const words = await invite();
    const secret = Buffer.from(words.at(-1) ?? '', 'base64url').subarray(0, 16);
    const [file = ''] = readdirSync(path.join(etc[1] ?? '', 'invitations'));
    assert.equal(statSync(path.join(etc[1] ?? '', 'invitations')).mode & 0o777, 0o700);
    const kept = file + readFileSync(path.join(etc[1] ?? '', 'invitations', file), 'latin1');
    assert.ok(!kept.includes(secret.toString('hex')) && !kept.includes(secret.toString('base64url')));
    rmSync(path.join(etc[1] ?? '', 'invitations', file));
  });

  void test('a token lets one machine in, once, and for a time', async () => {
    const words = await invite();
    const elsewhere = ['--directory', path.join('/tmp', 'etc')];
    await ok(4, ...words, '--node', 'fourth');
    await refused(testbed.run(4, [...words, '--node', 'fifth', ...elsewhere]), /the token was used or has expired/);
    assert.equal((await nodesOf(1)).length, 4);
    const late = await invite();
    const invitations = path.join(etc[1] ?? '', 'invitations');
    const [file = ''] = readdirSync(invitations);
    writeFileSync(path.join(invitations, file), JSON.stringify({ version: 1, expires: Date.now() / 1000 - 1 }));
    // An open one beside it: the door is open, but not for the late one.
    await invite();
    await refused(testbed.run(4, [...late, '--node', 'fifth', ...elsewhere]), /was used, has expired/);
    await start(4);
    for (const node of [1, 2, 3, 4]) await seesUp(node, ['node1', 'node2', 'node3', 'fourth']);
  });

  void test('names, numbers and addresses of others are refused, and the token stays good', async () => {
    const words = await invite();
    const elsewhere = ['--directory', '/tmp/etc2', '--control-port', '7080', '--data-port', '7081'];
    await refused(testbed.run(4, [...words, '--node', 'node2', ...elsewhere]), /a node called node2 is up/);
    await refused(testbed.run(4, [...words, '--node', 'fifth', '--number', '2', ...elsewhere]), /number 2 already/);
    await refused(testbed.run(4, [...words, '--node', 'no/name', ...elsewhere]), /a host name is wanted/);
    await refused(testbed.run(4, [...words, '--node', 'fifth', '--directory', '/tmp/etc2']), /address 10\.77\.0\.4 already/);
    await refused(testbed.run(4, [...words.slice(0, -1), `${words.at(-1)}x`, ...elsewhere]), /token is not whole/);
    await refused(testbed.run(4, [...words]), /is there already/);
    await refused(
      testbed.run(4, ['mosconf', 'join', '10.77.0.2', ...words.slice(3), '--node', 'fifth', ...elsewhere]),
      /10\.77\.0\.2 expects nobody/,
    );
    await ok(4, ...words, '--node', 'fifth', ...elsewhere);
    await ok(1, 'mosconf', 'remove', 'fifth');
  });

  void test('who guesses tokens is soon not listened to', async () => {
    const words = await invite();
    const token = Buffer.from(words.at(-1) ?? '', 'base64url');
    token.writeUInt32BE(7, 0);
    const wrong = [...words.slice(0, -1), token.toString('base64url'), '--node', 'guesser', '--directory', '/tmp/etc3'];
    const said: string[] = [];
    for (let turn = 0; turn < 7; turn++) said.push((await testbed.run(4, wrong)).stderr);
    assert.match(said[0] ?? '', /not valid here/);
    assert.match(said.at(-1) ?? '', /too many wrong tokens/);
  });

  for (const kind of ['another cluster', 'a tool of this cluster']) {
    void test(`an impostor with a certificate of ${kind} learns nothing of the token`, async () => {
      const words = await invite();
      const [at, name] = [path.join(directory, kind), kind === 'another cluster' ? 'node' : 'tool'];
      const made =
        name === 'node'
          ? ['init', '--node', 'node1', '--address', '10.77.0.1', '--directory', at]
          : ['tool', 'spy', '--output', at];
      await ok(1, 'mosconf', ...made);
      const impostor = `
        const read = (name) => require('node:fs').readFileSync(${JSON.stringify(`${at}/`)} + name);
        const server = require('node:tls').createServer({ key: read('${name}.key'), cert: read('${name}.pem') + read('ca.pem') }, (socket) => {
          socket.on('data', (data) => console.log('heard ' + data.length)); socket.on('error', () => {});
        });
        server.on('connection', () => console.log('connected'));
        server.listen(7099, () => console.log('listening'));`;
      const running = testbed.start(1, ['node', '-e', impostor]);
      await running.says('listening');
      await refused(
        testbed.run(2, ['mosconf', 'join', '10.77.0.1:7099', ...words.slice(3), '--directory', '/tmp/etc4']),
        /is no node of the token's cluster; it was told nothing/,
      );
      await running.says('connected');
      running.kill('SIGTERM');
      await running.done;
      assert.doesNotMatch(running.stdout, /heard/);
    });
  }

  void test('a machine without a certificate is cut off when nobody is invited, and may do nothing else when one is', async () => {
    const invitations = path.join(etc[1] ?? '', 'invitations');
    const ask = (target: string) => `
      const request = require('node:https').get({ host: '10.77.0.1', port: 7070, path: '${target}', rejectUnauthorized: false }, (answer) => {
        console.log(answer.statusCode); answer.resume();
      });
      request.on('error', (error) => console.log(error.code));`;
    await invite();
    assert.equal(await ok(2, 'node', '-e', ask('/v1/heartbeat')), '403\n');
    assert.equal(await ok(2, 'node', '-e', ask('/v1/list')), '403\n');
    for (const name of readdirSync(invitations)) rmSync(path.join(invitations, name));
    assert.match(await ok(2, 'node', '-e', ask('/v1/heartbeat')), /^ECONNRESET\n$/);
  });

  void test('a node that is removed is not talked to any more, and says why', async () => {
    await ok(1, 'mosconf', 'remove', 'fourth');
    await ok(1, 'sh', '-c', `kill -HUP ${(JSON.parse(await ok(1, 'mosctl', 'status', '--json')) as { pid: number }).pid}`);
    for (const node of [1, 2, 3]) await seesUp(node, ['node1', 'node2', 'node3']);
    const others = async () => (await nodesOf(4)).filter(({ name }) => name !== 'fourth');
    await until(async () => (await others()).every(({ state }) => state === 'down'), 15, 'it to be alone');
    assert.match((await others())[0]?.why ?? '', /does not know a node called "fourth"/);
  });

  void test('a list that the authority did not sign is not taken', async () => {
    const file = path.join(etc[2] ?? '', 'nodes.json');
    const good = readFileSync(file, 'utf8');
    const list = JSON.parse(good) as { revision: number; nodes: ListedNode[] };
    writeFileSync(
      file,
      JSON.stringify({ ...list, revision: list.revision + 5, nodes: list.nodes.filter(({ name }) => name !== 'node3') }),
    );
    await testbed.control('kill-daemon', '2', '--term');
    await start(2);
    await until(() => /did not sign/.test(testbed.log(1, 1000)), 15, 'node1 to refuse it');
    assert.equal((await nodesOf(1)).length, 3);
    writeFileSync(file, good);
    await testbed.control('kill-daemon', '2', '--term');
    await start(2);
    await seesUp(1, ['node1', 'node2', 'node3']);
  });
});
