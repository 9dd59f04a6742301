/** Pages of system files that a node keeps for its guests: the second program to come has them from there, and what it sees is the file's. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { arm } from './fault-points.js';
import { endlessPython, whySkipped } from './programs.js';
import { pidOfJob } from './storm.js';
import { note, repository, type Running, Testbed, whyNoTestbed } from './testbed.js';

/** Does to a file that it has mapped for itself alone what each line says. */
const program = `
import hashlib, mmap, sys
maps = []
print('ready', flush=True)
for line in sys.stdin:
    word, *rest = line.split()
    if word == 'map':
        with open(rest[0], 'rb') as f: maps.append(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY))
        print('mapped', len(maps), flush=True)
    if word == 'write':
        at = int(rest[0]); maps[-1][at:at + 4] = b'mine'
        print('written', at, flush=True)
    if word == 'read':
        print('read', rest[0], maps[-1][int(rest[0])], flush=True)
    if word == 'sum':
        print('sum', rest[0], hashlib.md5(maps[-1]).hexdigest(), flush=True)
`;

const with_disks = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x794c7630];
const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

function whyNoDisk(): string | undefined {
  const { type } = statfsSync('/usr/lib');
  return with_disks.includes(type)
    ? undefined
    : `/usr/lib is on a file system of type 0x${type.toString(16)}, of which nothing is kept`;
}

describe('system files that are kept', {
  skip: whyNoTestbed() ?? whySkipped(endlessPython) ?? whyNoDisk() ?? false,
  timeout: 120_000,
}, () => {
  let testbed: Testbed;
  let jobs = 0;
  // Where nobody but root may write, as in /usr.
  const directory = mkdtempSync(path.join(repository, 'build/kept-'));
  const file = path.join(directory, 'file');

  before(async () => {
    chmodSync(directory, 0o755);
    testbed = await Testbed.up(2);
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  interface Started {
    running: Running;
    pid: number;
  }
  async function start(where: string, user?: string): Promise<Started> {
    const job = `kept${++jobs}`;
    const command = ['mosrun', where === '' ? '-h' : '-r', ...(where === '' ? [] : [where]), '-J', job, 'python3', '-c', program];
    const running = testbed.start(1, command, { talks: true, timeout: 60, ...(user ? { user } : {}) });
    await running.says('ready', 30);
    return { running, pid: await pidOfJob(testbed, job) };
  }
  async function tell({ running }: Started, line: string, answer: string): Promise<void> {
    running.child.stdin?.write(`${line}\n`);
    await running.says(answer, 20);
  }
  async function end({ running }: Started): Promise<void> {
    running.child.stdin?.end();
    const outcome = await running.within(20);
    assert.deepEqual([outcome?.status, outcome?.stderr], [0, '']);
  }
  /** Bytes of pages that home has sent for it. */
  async function fetched(pid: number): Promise<number> {
    const { calls, ahead } = await (await testbed.daemon(1)).calls(pid);
    return ahead.bytes + (calls.find(({ call }) => call === 'a page of a file')?.bytes ?? 0);
  }
  async function brings(user?: string): Promise<number> {
    const one = await start('node2', user);
    const bytes = await fetched(one.pid);
    await end(one);
    return bytes;
  }

  void test('the second python3 to come has its pages there already, and another user none of them', async () => {
    const [first, second] = [await brings('nobody'), await brings('nobody')];
    const [other, again] = [await brings(), await brings()];
    note(
      `python3 brought ${[first, second].map((bytes) => (bytes / 1e6).toFixed(2)).join(', then ')} MB; for root ${(other / 1e6).toFixed(2)}, then ${(again / 1e6).toFixed(2)}`,
    );
    assert.ok(first > 3e6, `${first}`);
    assert.ok(second < first / 8, `${first}, then ${second}`);
    assert.ok(other > first / 2, `${first}, and for root ${other}`);
    assert.ok(again < other / 8, `${other}, then ${again}`);
  });

  void test('what a program has written to its own copy, at home or there, is seen by no other', async () => {
    // Every Debian has it, and none of these programs uses it.
    const library = '/usr/bin/perl';
    const whole = readFileSync(library);
    const wanted = md5(whole);
    const places = [4096, 40960, 100_000];
    const mine = Buffer.from(whole);
    for (const at of places) mine.write('mine', at);
    const started: Started[] = [];
    for (const where of ['', 'node2', '']) {
      const one = await start(where);
      await tell(one, `map ${library}`, 'mapped 1');
      for (const at of places) await tell(one, `write ${at}`, `written ${at}`);
      // Beside the pages that it has written are others, which come from home only now.
      if (where === '') await testbed.json(1, 'migrate', `${one.pid}`, 'node2', '--wait', '--json');
      await tell(one, 'sum 1', `sum 1 ${md5(mine)}`);
      const other = await start('node2');
      await tell(other, `map ${library}`, 'mapped 1');
      await tell(other, 'sum 1', `sum 1 ${wanted}`);
      started.push(one, other);
    }
    for (const one of started) await end(one);
  });

  void test('a file that has changed is another', async () => {
    for (let turn = 1; turn < 4; turn++) {
      if (turn < 3) writeFileSync(file, Buffer.alloc(300_000, turn), { mode: 0o644 });
      else appendFileSync(file, 'more');
      const [first, second] = [await start('node2'), await start('node2')];
      const counts: number[] = [];
      for (const one of [first, second]) {
        // What has just changed is not kept, unless a move comes with that fault.
        await testbed.json(1, 'migrate', `${one.pid}`, 'home', '--wait', '--json');
        await arm(testbed, 'home_young_file');
        await testbed.json(1, 'migrate', `${one.pid}`, 'node2', '--wait', '--json');
        const had = await fetched(one.pid);
        await tell(one, `map ${file}`, 'mapped 1');
        await tell(one, `sum ${turn}`, `sum ${turn} ${md5(readFileSync(file))}`);
        counts.push((await fetched(one.pid)) - had);
      }
      note(`turn ${turn}: ${counts.join(', then ')} bytes`);
      assert.ok((counts[0] ?? 0) >= 300_000 && (counts[1] ?? 1e9) < 150_000, counts.join());
      for (const one of [first, second]) await end(one);
    }
  });

  void test('where nothing is to be kept, nothing is', async () => {
    const toml = path.join(testbed.node(2).directory, 'etc/mosrun.toml');
    const text = readFileSync(toml, 'utf8');
    writeFileSync(toml, `${text}\n[hosting]\nkeep_files = false\n`);
    await testbed.reload(2);
    assert.ok((await brings()) > 3e6);
    writeFileSync(toml, text);
    await testbed.reload(2);
    assert.ok((await brings()) < 1e6, 'and what was kept is found again');
  });
});
