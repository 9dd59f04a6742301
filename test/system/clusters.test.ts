/** Clusters that are partners, with real programs: who may come, who makes way for whom, and that nobody is lost. Node 1 alone is cluster a. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type {
  BestNodeDocument,
  GuestDocument,
  NodeDocument,
  ProcessDetailDocument,
  ProcessDocument,
  StatusDocument,
} from '../../lib/shared/documents.js';
import { endlessPython, whySkipped } from './programs.js';
import { type Running, Testbed, note, repository, sleep, until, whyNoTestbed } from './testbed.js';

const skip = whyNoTestbed() ?? whySkipped(endlessPython) ?? false;
const USER = 'nobody';

/** Computes until it is told to stop, and then says how far it came, and what came out. */
const program = `
import select, sys, time
x, k = 1, 0
print('ready', flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for i in range(5000): x = (x * 1103515245 + 12345) & 0x7fffffff
    k += 1
    time.sleep(0.01)
print(k, x, flush=True)`;

/** The same, with nothing but arithmetic. */
function expected(rounds: number): number {
  let x = 1n;
  for (let step = 0; step < rounds * 5000; step++) x = (x * 1_103_515_245n + 12_345n) & 0x7fff_ffffn;
  return Number(x);
}

interface Started {
  running: Running;
  pid: number;
}

describe('clusters that are partners', { skip, timeout: 120_000 }, () => {
  let testbed: Testbed;
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-clusters-'));
  const etc: Record<number, string> = {};
  before(async () => {
    chmodSync(directory, 0o755);
    testbed = await Testbed.up(4, '--cluster', 'a:1,b:2,c:1', '--priority', '50', '--memory', '8G,350M,8G,8G');
    for (const number of [1, 2, 3, 4]) etc[number] = path.join(testbed.node(number).directory, 'etc');
    // Homes find other places for what has to leave, and move nothing else.
    await configure(1, 'mosrun.toml', (text) => text.replace('automatic = false', 'automatic = true\ninterval_seconds = 1000'));
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  // What a test that failed has left would keep guests away in the next.
  afterEach(async () => {
    for (const node of [1, 2, 3, 4]) await testbed.killStrays(node);
  });

  /** Changes a file below a node's /etc/mosrun, and has mosd read it. */
  async function configure(node: number, file: string, change: (text: string) => string): Promise<void> {
    const at = path.join(etc[node] ?? '', file);
    const text = readFileSync(at, 'utf8');
    const next = change(text);
    assert.notEqual(next, text, `${file} of node${node}`);
    writeFileSync(at, next);
    await testbed.reload(node);
  }

  const processes = async (node: number): Promise<ProcessDocument[]> => (await testbed.daemon(node)).processes();
  const guests = async (node: number): Promise<GuestDocument[]> =>
    (await (await testbed.daemon(node)).listing()).guests.filter(({ state }) => state === 'running');
  const nodes = async (node: number): Promise<NodeDocument[]> => (await testbed.daemon(node)).nodes();
  const isUp = async (wanted: string): Promise<boolean> =>
    (await nodes(1)).some(({ name, state }) => name === wanted && state === 'up');
  const whereIs = async (node: number, pid: number): Promise<string | undefined> =>
    (await processes(node)).find((one) => one.pid === pid)?.where;
  const historyOf = async (node: number, pid: number): Promise<ProcessDetailDocument['history']> =>
    (await testbed.daemon(node)).history(pid);
  /** From the order, by the daemon's own clock: what commands take to start is no part of it. */
  /** Waits until a process of node 1 was last moved for that. */
  async function because(pid: number, reason: RegExp): Promise<void> {
    await until(async () => reason.test((await historyOf(1, pid)).at(-1)?.reason ?? ''), 5, `${pid} to be moved for ${reason}`);
  }

  function secondsOfMove(node: number, pid: number): number {
    const lines = testbed
      .log(node, 2000)
      .split('\n')
      .filter((line) => line.includes('"msg":"migration"'));
    const steps = lines
      .map((line) => JSON.parse(line) as { time: number; pid: number; event: string })
      .filter((one) => one.pid === pid);
    const at = (event: string): number => steps.findLast((one) => one.event === event)?.time ?? Number.NaN;
    return (at('moved') - at('ordered-out')) / 1000;
  }
  let jobs = 0;

  async function start(node: number, options: string[], command: string[], user = USER): Promise<Started> {
    const job = `j${++jobs}`;
    const running = testbed.start(node, ['mosrun', ...options, '-J', job, ...command], { user, talks: true, timeout: 100 });
    const pid = await until(
      async () => {
        if (running.ended) throw new Error(`it ended: ${(await running.done).stderr}`);
        return (await processes(node)).find(
          (one) => one.job === job && !one.command.startsWith('mosrun') && one.state !== 'moving',
        )?.pid;
      },
      20,
      `${job} to run`,
    );
    return { running, pid };
  }
  const python = (...options: string[]): Promise<Started> => start(1, options, ['python3', '-c', program]);
  const load = (node: number, ...options: string[]): Promise<Started> => start(node, options, ['mostestload', '--cpu', '0']);

  /** It has computed the right thing, however often it was moved. */
  async function finish({ running }: Started): Promise<void> {
    running.child.stdin?.end('\n');
    const { status, stdout, stderr } = await running.done;
    assert.equal(status, 0, stderr);
    const pattern = /^ready\n(\d+) (\d+)\n$/;
    assert.match(stdout, pattern);
    const [, rounds = 0, result] = pattern.exec(stdout)?.map(Number) ?? [];
    assert.equal(result, expected(rounds));
  }

  async function end(node: number, { running, pid }: Started): Promise<void> {
    await testbed.run(node, [process.execPath, '-e', `process.kill(${pid}, 'SIGKILL')`]);
    await running.done;
    await until(async () => (await whereIs(node, pid)) === undefined, 10, 'it to be gone');
    // Whether something of its own runs there a node finds out no oftener than that.
    await sleep(0.5);
  }

  void test('nodes of partners are seen, under names of their own', async () => {
    const { nodes } = await testbed.json<{ nodes: NodeDocument[] }>(1, 'mosctl', 'nodes', '--json');
    assert.deepEqual(
      nodes.map(({ name, cluster, partner, state }) => [name, cluster, partner, state]),
      [
        ['node1', 'a', false, 'up'],
        ['node2@b', 'b', true, 'up'],
        ['node3@b', 'b', true, 'up'],
        ['node4@c', 'c', true, 'up'],
      ],
    );
    assert.match((await testbed.run(4, ['mosmon', '--once'])).stdout, /^node2@b +up /m);
    assert.match((await testbed.run(3, ['mosctl', 'status'])).stdout, /^partner +a: priority 50, 1 node$/m);
    assert.equal(
      (await testbed.run(1, ['mosctl', 'whois', '3'])).stdout.includes('node3'),
      false,
      'a number is good within the own cluster alone',
    );
  });

  void test('a name that nobody has is told with why', async () => {
    const start = async (node: string): Promise<string> =>
      (await testbed.run(1, ['mosrun', '-G', '-r', node, 'true'], { user: USER })).stderr;
    assert.match(await start('node9@b'), /no node is called node9@b: see mosctl nodes/);
    assert.match(await start('node3@x'), /no node is called node3@x: there is no partner x: see mosctl status/);
    assert.match(await start('node3'), /no node is called node3: see/, 'one of another cluster has that behind its name');
    assert.equal(await start('node1@a'), '', 'the own may be named so too');
  });

  void test('daemons may die and come back, here and there, and a process of another cluster is found again', async () => {
    const one = await python('-G', '-l', '-r', 'node3@b');
    for (const node of ['1', '3']) assert.equal((await testbed.control('kill-daemon', node)).status, 0);
    for (const node of ['1', '3']) assert.equal((await testbed.control('start-daemon', node)).status, 0);
    for (const node of [3, 1]) await testbed.comes(node);
    assert.equal(await whereIs(1, one.pid), 'node3@b');
    assert.equal((await guests(3))[0]?.home, 'node1@a');
    await until(() => isUp('node2@b'), 20, 'node1 to know the nodes of b again');
    await testbed.json(1, 'migrate', `${one.pid}`, 'node2@b', '--wait', '--json');
    await finish(one);
  });

  void test('only -G lets a program go to other clusters, and what it starts as well', async () => {
    const stays = await testbed.run(1, ['mosrun', '-r', 'node2@b', 'true'], { user: USER });
    assert.equal(stays.status, 125);
    assert.match(stays.stderr, /does not go to node2@b: it stays within its cluster: mosrun -G lets a program go to others/);
    const inner = await start(1, ['-G2'], ['sh', '-c', 'mosrun -h python3 -c "$0"; true', program]);
    const child = await until(
      async () => (await processes(1)).find((one) => one.command.startsWith('python3') && one.state === 'running'),
      10,
      'the inner program',
    );
    assert.deepEqual([child.abroad, child.class], [true, '2']);
    await testbed.json(1, 'migrate', `${child.pid}`, 'node2@b', '--wait', '--json');
    assert.equal((await guests(2))[0]?.home, 'node1@a');
    assert.equal((await guests(2))[0]?.cluster, 'a');
    await finish(inner);
  });

  void test("root's processes, and those with rights that are not their user's, are refused with a reason on both sides", async () => {
    const asRoot = await testbed.run(1, ['mosrun', '-G', '-r', 'node2@b', 'true']);
    assert.equal(asRoot.status, 125);
    assert.match(asRoot.stderr, /does not go to node2@b: it has root's rights, and such processes do not go to b: privileged in/);
    await until(() => /node1@a does not send process \d+: it has root's rights/.test(testbed.log(2)), 5, 'node2 to be told');
    // Node 1 would send it now: then node 2 is the one that refuses.
    await configure(1, 'partners/b.toml', (text) => text.replace('privileged = false', 'privileged = true'));
    const refused = await testbed.run(1, ['mosrun', '-G', '-r', 'node2@b', 'true']);
    assert.match(refused.stderr, /node2 does not take process \d+: it has root's rights, and no such process of a comes here/);
    assert.match(testbed.log(2), /"reason":"node2 does not take process \d+: it has root's rights/);
    await configure(1, 'partners/b.toml', (text) => text.replace('privileged = true', 'privileged = false'));
    // What it is asked for is an ordinary user's; the program it then becomes is not.
    const setUid = path.join(directory, 'load');
    copyFileSync(path.join(repository, 'dist/bin/mostestload'), setUid);
    chmodSync(setUid, 0o4755);
    const one = await start(1, ['-G', '-r', 'node2@b'], [setUid, '--cpu', '0']);
    const why = await until(async () => (await historyOf(1, one.pid)).at(-1)?.message, 10, 'the move to be over');
    assert.match(why, /it has root's rights, and such processes do not go to node2@b$/);
    assert.equal(await whereIs(1, one.pid), 'node1');
    await end(1, one);
  });

  void test('an owner whose process comes to a full node runs there within 2 s, guests are elsewhere or home, and none is lost', async () => {
    await configure(2, 'mosrun.toml', (text) => `${text}\n[hosting]\nmax_guests = 2\n[guests]\nleave = "when-needed"\n`);
    const [first, second] = [await python('-G', '-l', '-r', 'node2@b'), await python('-G', '-l', '-r', 'node2@b')];
    assert.deepEqual([await whereIs(1, first.pid), await whereIs(1, second.pid)], ['node2@b', 'node2@b']);
    const more = await testbed.run(1, ['mosrun', '-G', '-r', 'node2@b', 'true'], { user: USER });
    assert.match(more.stderr, /it has 2 guests, and takes 2 at most/, 'one of the same priority moves nobody');
    // On the other node of cluster b somebody has work, and sends it to node 2.
    const owner = await load(3, '-h');
    await testbed.json(3, 'migrate', `${owner.pid}`, 'node2', '--wait', '--json');
    const seconds = secondsOfMove(3, owner.pid);
    note(`the owner's process ran there after ${seconds.toFixed(2)} s`);
    // Where more want to run than there are processors it waits for one.
    const soon = 2 * Math.max(1, (loadavg()[0] ?? 0) / cpus().length);
    assert.ok(seconds < soon, `${seconds} s, of ${soon.toFixed(1)}`);
    assert.ok((await guests(2)).some(({ home }) => home === 'node3'));
    await until(async () => (await guests(2)).length === 2, 5, 'one guest to have left');
    assert.equal(await whereIs(1, first.pid), 'node2@b', 'who came first stays');
    const now = await whereIs(1, second.pid);
    assert.ok(now !== undefined && now !== 'node2@b', now);
    const reason = (await historyOf(1, second.pid)).at(-1)?.reason ?? '';
    assert.match(reason, /^sent (away|home) by node2@b: process \d+ of node3 needs the room, of priority 0 before 50$/);
    assert.match(
      (await testbed.run(1, ['mosps', '--explain', `${second.pid}`])).stdout,
      /why there: sent (away|home) by node2@b: process/,
    );
    note(`the guest that made way is on ${now}: ${reason}`);
    // A program that is started there, and every worse guest leaves where that is the way.
    await configure(2, 'mosrun.toml', (text) => text.replace('when-needed', 'always'));
    await until(
      async () => (await guests(2)).every(({ priority }) => priority === 0),
      soon,
      'guests to leave for an owner that is there',
    );
    await end(3, owner);
    await until(async () => (await guests(2)).length === 0, 5, 'node2 to be empty');
    await testbed.json(1, 'migrate', `${first.pid}`, 'node2@b', '--wait', '--json');
    const local = await load(2, '-h');
    await until(async () => (await guests(2)).length === 0, soon, 'the guest to leave for a program started there');
    // The node knows that it has gone before its home has written down why.
    await because(first.pid, /by node2@b: better processes are here, of priority 0 before 50$/);
    const closed = await testbed.run(1, ['mosrun', '-G', '-r', 'node2@b', 'true'], { user: USER });
    assert.match(closed.stderr, /better processes are there, of priority 0 before 50: it comes when they have left/);
    await end(2, local);
    await finish(first);
    await finish(second);
  });

  void test('so does one for whose memory there is no room', async () => {
    // It computes, and what it holds stays as it is.
    const holding = ['mostestload', '--cpu', '0', '--memory', '150M', '--still'];
    // Other tests may have the processors for a while: one of three times is enough.
    for (let tries = 3, isSoon = false; !isSoon; tries--) {
      const guest = await start(1, ['-G', '-l', '-r', 'node2@b'], holding);
      assert.equal(await whereIs(1, guest.pid), 'node2@b');
      await until(async () => ((await guests(2))[0]?.memory_bytes ?? 0) > 150e6, 20, 'the guest to have its memory');
      const owner = await start(3, ['-h'], holding);
      const held = async () => (await processes(3)).find(({ pid }) => pid === owner.pid)?.memory_bytes ?? 0;
      await until(async () => (await held()) > 150e6, 20, 'its memory');
      await testbed.json(3, 'migrate', `${owner.pid}`, 'node2', '--wait', '--json');
      const seconds = secondsOfMove(3, owner.pid);
      note(`with 150 MB to be freed first the owner's process, of 150 MB, ran there after ${seconds.toFixed(2)} s`);
      // Two seconds where nothing else runs; where more want to run than there are processors everybody waits.
      const soon = 2 * Math.max(1, (loadavg()[0] ?? 0) / cpus().length);
      isSoon = seconds < soon;
      assert.ok(isSoon || tries > 1, `${seconds} s, of ${soon.toFixed(1)}`);
      // The one is told to have begun before the other is told to have gone.
      await until(async () => (await guests(2)).map(({ home }) => home).join() === 'node3', 2, 'the guest to have left');
      await because(guest.pid, /of node3 needs the room, of priority 0 before 50$/);
      await end(3, owner);
      await end(1, guest);
      await until(async () => (await guests(2)).length === 0, 5, 'node2 to be empty');
    }
  });

  void test('labels name nodes, and what is allowed and denied counts for what is placed', async () => {
    await configure(3, 'mosrun.toml', (text) => `labels = ["fast", "gpu"]\n${text}`);
    await until(
      async () => (await nodes(1)).some(({ name, labels }) => name === 'node3@b' && labels.join() === 'fast,gpu'),
      20,
      'node1 to know the labels of node3',
    );
    const one = await python('-G', '-l', '-j', 'gpu');
    assert.equal(await whereIs(1, one.pid), 'node3@b');
    await finish(one);
    const excluded = async (...options: string[]): Promise<Record<string, string | null>> => {
      const { decision } = await testbed.json<BestNodeDocument>(1, 'mosbestnode', ...options, '--json');
      return Object.fromEntries(decision.candidates.map(({ node, excluded: why }) => [node, why]));
    };
    assert.deepEqual(Object.keys(await excluded()), ['node1'], 'of partners only where that is asked for');
    let last: Awaited<ReturnType<typeof excluded>> = {};
    await until(
      async () => Object.values((last = await excluded('-G'))).every((why) => why === null),
      10,
      'all to be known to take guests',
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)}`);
    });
    assert.deepEqual(await excluded('-G'), { node1: null, 'node2@b': null, 'node3@b': null, 'node4@c': null });
    await configure(1, 'mosrun.toml', (text) =>
      text.replace('interval_seconds = 1000', 'interval_seconds = 1000\nallow = ["@c", "gpu"]\ndeny = ["@c"]'),
    );
    assert.deepEqual(await excluded('-G'), {
      node1: null,
      'node2@b': 'nothing is placed there: it is not in placement.allow',
      'node3@b': null,
      'node4@c': 'nothing is placed there: placement.deny has @c',
    });
    await configure(1, 'mosrun.toml', (text) => text.replace(/allow = .*\ndeny = .*/, ''));
  });

  void test('what partners may not is obeyed, to come, to be sent to, to pass on, and a change counts at once', async () => {
    const one = await python('-G', '-l', '-r', 'node3@b');
    const order = async (to: string, message: RegExp): Promise<void> => {
      const { status, stderr } = await testbed.run(1, ['migrate', `${one.pid}`, to, '--wait']);
      assert.notEqual(status, 0);
      assert.match(stderr, message);
      assert.match((await historyOf(1, one.pid)).at(-1)?.message ?? '', message);
    };
    await configure(1, 'partners/b.toml', (text) => text.replace('may_pass_on = true', 'may_pass_on = false'));
    await order(
      'node4@c',
      /b, where it is, may not pass it on to c: may_pass_on in partners\/b.toml says so; it can go by its home/,
    );
    await configure(1, 'partners/b.toml', (text) => text.replace('may_pass_on = false', 'may_pass_on = true'));
    await testbed.json(1, 'migrate', `${one.pid}`, 'node4@c', '--wait', '--json');
    assert.equal((await guests(4))[0]?.home, 'node1@a', 'it went on to a third cluster');
    await configure(1, 'partners/b.toml', (text) => text.replace('may_be_sent_to = true', 'may_be_sent_to = false'));
    await order('node3@b', /no process is sent to b: may_be_sent_to in partners\/b.toml says so/);
    await configure(1, 'partners/b.toml', (text) => text.replace('may_be_sent_to = false', 'may_be_sent_to = true'));
    await configure(3, 'partners/a.toml', (text) => text.replace('may_come = true', 'may_come = false'));
    await order(
      'node3@b',
      /node3 does not take process \d+: processes of a may not come: may_come in partners\/a.toml says so there/,
    );
    assert.match(testbed.log(3), /"reason":"node3 does not take process \d+: processes of a may not come/);
    await finish(one);
  });

  void test('a guest of a cluster that is not known any more is refused with a reason on both sides, and one that is there goes on', async () => {
    const one = await python('-G', '-l', '-r', 'node4@c');
    rmSync(path.join(etc[4] ?? '', 'partners/a.toml'));
    await testbed.reload(4);
    const refused = await testbed.run(1, ['mosrun', '-G', '-r', 'node4@c', 'true'], { user: USER });
    assert.equal(refused.status, 125);
    const message = /cluster c does not know the cluster of node1, whose authority has the fingerprint [0-9a-f]{64}/;
    assert.match(refused.stderr, message);
    const there = await testbed.json<StatusDocument>(4, 'mosctl', 'status', '--json');
    assert.match(there.turned_away[0]?.why ?? '', message);
    assert.equal(there.turned_away[0]?.node, 'node1');
    await until(
      async () => {
        const { partners } = await (await testbed.daemon(1)).status();
        return message.test(partners.find(({ name }) => name === 'c')?.problem ?? '');
      },
      25,
      'node1 to show why',
    );
    await testbed.json(1, 'migrate', `${one.pid}`, 'home', '--wait', '--json');
    await finish(one);
  });

  void test('where public guests are taken that cluster comes as one of nobody known, worse than all, and goes home when it must', async () => {
    await configure(4, 'mosrun.toml', (text) => `${text}\n[guests]\npublic = true\n`);
    await until(() => isUp('node4@c'), 30, 'node4 to answer node1 again');
    const one = await python('-G', '-l', '-r', 'node4@c');
    const [guest, ...others] = await guests(4);
    assert.deepEqual(others, []);
    assert.match(guest?.home ?? '', /^node1@public-[0-9a-f]{8}$/);
    assert.equal(guest?.priority, 65_535);
    const owner = await load(4, '-h');
    await until(async () => (await guests(4)).length === 0, 5, 'it to have left for a program started there');
    await because(one.pid, /by node4@c: better processes are here, of priority 0 before 65535$/);
    await end(4, owner);
    await finish(one);
  });
});
