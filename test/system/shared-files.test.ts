/** Files that a program maps shared and only reads: whoever opens one for writing waits until the program is at home, where it sees what is written. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { arm } from './fault-points.js';
import { endlessPython, whySkipped } from './programs.js';
import { listed, pidOfJob } from './storm.js';
import { note, type Running, Testbed, until, whyNoTestbed } from './testbed.js';

const program = `
import mmap, os, sys
maps = {}
print('ready', flush=True)
for line in sys.stdin:
    word, name, *rest = line.split()
    if word == 'map':
        with open(name, 'rb') as f: maps[name] = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        print('mapped', len(maps), flush=True)
    if word == 'unmap':
        maps.pop(name).close()
        print('unmapped', len(maps), flush=True)
    if word == 'read':
        print('read', maps[name][9000:9008].decode(), flush=True)
    if word == 'fork':
        child = os.fork()
        if not child:
            print('child', maps[name][9000:9008].decode(), flush=True)
            sys.stdin.readline()
            print('later', maps[name][9000:9008].decode(), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print('over', flush=True)
`;
const user = { name: 'nobody', number: 65534 };
const other = 1;

describe('files that are mapped shared', {
  skip: whyNoTestbed() ?? whySkipped(endlessPython) ?? false,
  timeout: 120_000,
}, () => {
  let testbed: Testbed;
  let running: Running;
  let pid = 0;
  let slowest = 0;
  const directory = mkdtempSync('/tmp/mosrun-test-');
  const own = path.join(directory, 'own');
  const others = path.join(directory, 'others');

  before(async () => {
    chmodSync(directory, 0o755);
    for (const [file, owner] of [
      [own, user.number],
      [others, other],
    ] as const) {
      writeFileSync(file, Buffer.alloc(20_000, 'number 0'));
      chownSync(file, owner, 0);
    }
    testbed = await Testbed.up(2);
    running = testbed.start(1, ['mosrun', '-r', 'node2', '-J', 'maps', 'python3', '-c', program], {
      user: user.name,
      talks: true,
      timeout: 100,
    });
    await running.says('ready', 30);
    pid = await pidOfJob(testbed, 'maps');
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  async function tell(line: string, answer: string): Promise<void> {
    running.child.stdin?.write(`${line}\n`);
    await running.says(answer, 20);
  }
  function write(file: string, text: string): void {
    const began = performance.now();
    const fd = openSync(file, 'r+');
    slowest = Math.max(slowest, performance.now() - began);
    writeSync(fd, text, 9000);
    closeSync(fd);
  }
  const place = async (one = pid) => (await listed(testbed)).find((each) => each.pid === one);
  async function leave(one = pid): Promise<void> {
    const { status, stderr } = await testbed.run(1, ['migrate', `${one}`, 'node2', '--wait']);
    assert.equal(status, 0, stderr);
  }
  async function isAtHome(one = pid): Promise<void> {
    const found = await until(
      async () => {
        const now = await place(one);
        return now?.where === 'node1' ? now : undefined;
      },
      5,
      'it to be at home',
    );
    assert.match(found.why ?? '', /it came home for a file that it maps and that is opened for writing/);
  }

  test('its own, mapped while it is away', async () => {
    await tell(`map ${own} x`, 'mapped 1');
    assert.equal((await place())?.where, 'node2');
    await tell(`read ${own} x`, 'read number 0');
    write(own, 'number 1');
    await tell(`read ${own} x`, 'read number 1');
    await isAtHome();
  });

  test('its own, mapped before it left, and by a child that is born away', async () => {
    await leave();
    await tell(`read ${own} x`, 'read number 1');
    await tell(`fork ${own} x`, 'child number 1');
    const child = (await listed(testbed)).find((each) => each.pid !== pid && each.command.includes('maps = {}'));
    assert.equal(child?.where, 'node2');
    write(own, 'number 2');
    running.child.stdin?.write('\n');
    await running.says('later number 2', 20);
    await running.says('over', 20);
    await tell(`read ${own} x`, 'read number 2');
    await isAtHome();
  });

  test("another user's: the process comes home to map it, and goes out with it", async () => {
    await leave();
    await tell(`map ${others} x`, 'mapped 2');
    const now = await place();
    assert.deepEqual([now?.where, now?.why], ['node1', 'it came home for mmap']);
    await leave();
    await tell(`read ${others} x`, 'read number 0');
    write(others, 'number 3');
    await tell(`read ${others} x`, 'read number 3');
    await isAtHome();
  });

  test('a child of one that has another user’s comes home as it is born', async () => {
    await leave();
    await tell(`fork ${others} x`, 'child number 3');
    write(others, 'number 4');
    running.child.stdin?.write('\n');
    await running.says('later number 4', 20);
    await running.says('over', 20);
  });

  test('one that it maps no longer is nothing to it', async () => {
    await leave();
    await tell(`unmap ${others} x`, 'unmapped 1');
    write(others, 'number 6');
    await tell(`read ${own} x`, 'read number 2');
    assert.equal((await place())?.where, 'node2');
  });

  test('a return for which home has no memory is tried again, and whoever writes waits for it', async () => {
    await testbed.run(1, ['migrate', `${pid}`, 'home', '--wait']);
    await arm(testbed, 'home_no_memory');
    await leave();
    const began = performance.now();
    write(own, 'number 2');
    assert.ok(performance.now() - began > 500, 'it was at home at once');
    await tell(`read ${own} x`, 'read number 2');
    await leave();
  });

  test('one that is frozen comes home for it', async () => {
    await tell(`read ${own} x`, 'read number 2');
    const { status, stderr } = await testbed.run(1, ['migrate', `${pid}`, 'freeze', '--wait']);
    assert.equal(status, 0, stderr);
    assert.equal((await place())?.state, 'frozen');
    write(own, 'number 5');
    await tell(`read ${own} x`, 'read number 5');
  });

  test('the program ends as ever, and nobody waited for long', async () => {
    running.child.stdin?.end();
    const outcome = await running.within(20);
    assert.deepEqual([outcome?.status, outcome?.stderr], [0, '']);
    note(`whoever opened a file for writing waited ${slowest.toFixed(0)} ms at most`);
    assert.ok(slowest < 5000);
  });
});
