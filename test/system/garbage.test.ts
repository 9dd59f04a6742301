/** Garbage on every port and socket, while programs are away, at home and on the move: nobody notices. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { PROTOCOL_VERSION } from '../../lib/shared/version.js';
import { endlessPython as python, whySkipped } from './programs.js';
import { pidOfJob, Storm, Workplace } from './storm.js';
import { note, repository, type Running, Testbed, tryRead, until, whyNoTestbed } from './testbed.js';

const count = Number(process.env['MOSRUN_GARBAGE_COUNT'] ?? 2000);

interface Place {
  place: string;
  /** The node that the worker runs on. */
  node: number;
  address?: string;
  port?: number;
  path?: string;
}

const places: Place[] = [
  { place: 'data', node: 1, address: '10.77.0.2', port: 7071 },
  { place: 'tls', node: 1, address: '10.77.0.2', port: 7070 },
  { place: 'peer', node: 1, address: '10.77.0.2', port: 7070 },
  { place: 'gossip', node: 1, address: '10.77.0.2', port: 7070 },
  { place: 'local', node: 1, path: '/run/mosrun/mosd.sock' },
  { place: 'launch', node: 1, path: '/run/mosrun/launch.sock' },
  { place: 'gate', node: 2, path: '/run/mosrun/gate.sock' },
];

interface Done {
  place: string;
  messages: number;
  connections: number;
  failed: number;
  /** How many of those for which reason. */
  errors: Record<string, number>;
  seconds: number;
}

interface Size {
  who: string;
  pid: number;
  descriptors: number;
  kib: number;
}

describe('garbage', { skip: whyNoTestbed() ?? whySkipped(python) ?? false }, () => {
  let testbed: Testbed;
  const workplaces: Workplace[] = [];

  before(async () => {
    testbed = await Testbed.up(2);
  });
  after(async () => {
    await testbed?.down();
    for (const workplace of workplaces) workplace.remove();
  });

  afterEach(async () => {
    await testbed.killStrays(1);
    await testbed.killStrays(2);
  });

  async function startPython(): Promise<[Running, number]> {
    const workplace = new Workplace();
    const job = `python-${workplaces.push(workplace)}`;
    const running = testbed.start(1, ['mosrun', '-J', job, ...python.command], { cwd: workplace.empty() });
    await running.says('ready');
    return [running, await pidOfJob(testbed, job)];
  }

  async function move(pid: number, to: string): Promise<void> {
    const { status, stderr } = await testbed.run(1, ['migrate', String(pid), to, '--wait']);
    assert.deepEqual([status, stderr], [0, '']);
  }

  /** mosd and mosgate of both nodes. */
  async function sizes(): Promise<Size[]> {
    const all: Size[] = [];
    for (const node of [1, 2]) {
      const { pid: init } = testbed.node(node);
      for (const pid of await testbed.helpers(node)) {
        if (pid === init) continue;
        const name = tryRead(`/proc/${pid}/comm`).startsWith('mosgate') ? 'mosgate' : 'mosd';
        const kib = Number(/^VmRSS:\s+(\d+)/m.exec(tryRead(`/proc/${pid}/status`))?.[1]);
        all.push({ who: `${name} of node${node}`, pid, descriptors: readdirSync(`/proc/${pid}/fd`).length, kib });
      }
    }
    return all;
  }

  function throwAt({ node, ...place }: Place, count: number, seed: number): Promise<Done> {
    const input = readFileSync(path.join(repository, 'test/system/garbage-worker.mjs'), 'utf8');
    const words = ['node', '--input-type=module', '-', JSON.stringify({ ...place, count, seed, protocol: PROTOCOL_VERSION })];
    return testbed.run(node, words, { input, timeout: 60 + count / 10 }).then(({ status, stdout, stderr }) => {
      assert.equal(status, 0, `${place.place}: ${stderr}`);
      return JSON.parse(stdout) as Done;
    });
  }

  void test(`${count} messages at each of ${places.length} places: no daemon and no program suffers`, {
    timeout: 150_000 + count * 100,
  }, async () => {
    const [away, awayPid] = await startPython();
    const [home, homePid] = await startPython();
    const [roaming, roamingPid] = await startPython();
    await move(awayPid, 'node2');
    // What a first use costs is no growth.
    await Promise.all(places.map((place, index) => throwAt(place, 200, index + 100)));
    const before = await sizes();
    const storm = new Storm(testbed, roamingPid, { away: [1, 1], home: [1, 1] });
    const done = await Promise.all(places.map((place, index) => throwAt(place, count, index + 1)));
    for (const { place, messages, connections, failed, errors, seconds } of done) {
      note(`${place}: ${messages} messages over ${connections} connections in ${seconds} s`);
      assert.ok(messages >= count, `${place} took ${messages} messages: ${JSON.stringify(errors)}`);
      assert.ok(failed <= connections / 100, `${place}: ${failed} connections were refused: ${JSON.stringify(errors)}`);
    }
    assert.deepEqual(storm.trouble, [], 'the program on the move');
    const moves = storm.moves.length;
    assert.ok(moves >= 2, `it moved ${moves} times meanwhile`);

    // Connections that were given up are let go after five seconds.
    const bounded = async (): Promise<string> => {
      const faults = (await sizes()).map((now) => {
        const then = before.find(({ pid }) => pid === now.pid);
        if (!then) return `${now.who} is another process`;
        const more = now.descriptors - then.descriptors;
        const grown = now.kib - then.kib;
        // V8 keeps what it has had; a kilobyte lost with each connection would be more at 100,000 messages in seven places.
        const most = now.who.startsWith('mosgate') ? 2048 : 160 * 1024;
        return more > 6 || grown > most ? `${now.who} has ${more} descriptors more, and grew by ${grown} KiB` : '';
      });
      return faults.filter(Boolean).join(', ');
    };
    await until(async () => (await bounded()) === '', 20, 'the daemons to let go of connections').catch(async () => {
      assert.fail(await bounded());
    });
    for (const { who, descriptors, kib } of await sizes())
      note(`${who}: ${descriptors} descriptors, ${(kib / 1024).toFixed(1)} MiB`);

    for (const [running, pid] of [
      [away, awayPid],
      [home, homePid],
      [roaming, roamingPid],
    ] as const) {
      await testbed.kill(1, pid);
      const outcome = await running.within(30);
      assert.deepEqual([outcome?.status, outcome?.stdout, outcome?.stderr], [0, 'ready\nall blocks are equal\n', '']);
    }
    await storm.end(30);
    const [fresh, freshPid] = await startPython();
    await move(freshPid, 'node2');
    await move(freshPid, 'home');
    await testbed.kill(1, freshPid);
    assert.equal((await fresh.within(20))?.stdout, 'ready\nall blocks are equal\n');
  });
});
