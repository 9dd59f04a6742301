/** Files that are read ahead of a program that is away: what it reads is what it would read at home, whoever writes to them and whenever. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { arm } from './fault-points.js';
import { rereads, whySkipped } from './programs.js';
import { listed, pidOfJob } from './storm.js';
import { note, repository, sleep, Testbed, whyNoTestbed } from './testbed.js';

/** The program, run plainly, or away. */
class Reader {
  private readonly lines: AsyncIterator<string>;

  constructor(private readonly child: ChildProcess) {
    if (!child.stdout) throw new Error('a reader needs pipes');
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  async says(): Promise<string> {
    const late = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    const { value, done } = await this.lines.next();
    clearTimeout(late);
    return done ? 'it has ended' : value;
  }

  async ask(letters: string): Promise<string[]> {
    this.child.stdin?.write(letters);
    const said: string[] = [];
    for (const _ of letters) said.push(await this.says());
    return said;
  }

  async end(): Promise<string> {
    this.child.stdin?.end();
    return this.says();
  }
}

/** What a writer does, by turns; numbers that are the same on every run. */
class Changes {
  private seed = 7;
  private turn = 0;
  /** Of the slowest. */
  seconds = 0;

  constructor(private readonly file: string) {}

  private next(below: number): number {
    this.seed = (this.seed * 48271) % 2147483647;
    return this.seed % below;
  }

  private bytes(size: number): Buffer {
    const start = this.next(1000);
    return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * i + start) >> 3));
  }

  private async timed(act: () => void | Promise<void>): Promise<void> {
    const began = performance.now();
    await act();
    this.seconds = Math.max(this.seconds, (performance.now() - began) / 1000);
  }

  fill(): void {
    writeFileSync(this.file, this.bytes(300_000));
  }

  /** @param meanwhile done while the file is open for writing, before and after something is written */
  async make(meanwhile: () => Promise<void>): Promise<void> {
    const write = (flags: number | string, bytes: Buffer, at: number | null) =>
      this.timed(() => {
        const fd = openSync(this.file, flags);
        writeSync(fd, bytes, 0, bytes.length, at);
        closeSync(fd);
      });
    switch (this.turn++ % 6) {
      case 0:
        return write('a', this.bytes(1000), null);
      case 1:
        return write('r+', this.bytes(7), this.next(250_000));
      case 2:
        return this.timed(() => truncateSync(this.file, 100_000 + this.next(200_000)));
      case 3:
        return write('w', this.bytes(70_000 + this.next(300_000)), 0);
      case 4: {
        let fd = -1;
        await this.timed(() => void (fd = openSync(this.file, constants.O_RDWR)));
        await meanwhile();
        writeSync(fd, this.bytes(5000), 0, 5000, 60_000);
        await meanwhile();
        closeSync(fd);
        return;
      }
      default:
        return;
    }
  }
}

describe('files that are read ahead', { skip: whyNoTestbed() ?? whySkipped(rereads) ?? false, timeout: 240_000 }, () => {
  let testbed: Testbed;
  const directory = mkdtempSync('/tmp/mosrun-test-');
  const file = path.join(directory, 'file');

  before(async () => {
    rereads.make?.();
    testbed = await Testbed.up(2);
  });
  after(async () => {
    rmSync(directory, { recursive: true, force: true });
    await testbed?.down();
  });

  let jobs = 0;
  async function begin(away: readonly string[] | null, ...words: string[]): Promise<Reader> {
    const program = [...rereads.command, ...words];
    const command = [
      'run',
      '1',
      '--name',
      testbed.name,
      '--',
      ...(away ? ['mosrun', '-r', 'node2', '-J', `${++jobs}`, ...away] : []),
      ...program,
    ];
    const reader = new Reader(spawn(path.join(repository, 'scripts/testbed'), command, { stdio: ['pipe', 'pipe', 'inherit'] }));
    assert.equal(await reader.says(), 'ready');
    return reader;
  }

  async function conversation(away: readonly string[] | null, ...words: string[]): Promise<{ said: string[]; slowest: number }> {
    const changes = new Changes(file);
    changes.fill();
    const reader = await begin(away, file, ...words);
    const said: string[] = [];
    for (let round = 0; round < 48; round++) {
      const letters = ['s', 'p', 'o', 'sp', 'ss'][round % 5] ?? '';
      said.push(...(await reader.ask(letters)));
      if (round % 8 === 3) await reader.ask('c');
      await changes.make(async () => void said.push(...(await reader.ask('ps'))));
    }
    said.push(await reader.end());
    return { said, slowest: changes.seconds };
  }

  for (const words of [[], ['threads']]) {
    const who = words.length > 0 ? 'a program with threads' : 'a program';
    void test(`what is written at home ${who} reads away, from then on`, async () => {
      const plain = await conversation(null, ...words);
      for (const option of ['--read-ahead', '--no-read-ahead']) {
        const away = await conversation([option], ...words);
        assert.deepEqual(away.said, plain.said, option);
        note(`${option}: the writer waited for ${(away.slowest * 1000).toFixed(1)} ms at most`);
        assert.ok(away.slowest < 2, `the writer waited for ${away.slowest} s`);
      }
    });
  }

  const bytesOut = async (): Promise<number> => {
    const pid = await pidOfJob(testbed, `${jobs}`);
    return (
      ((await listed(testbed)).find((one) => one.pid === pid) as { bytes_out?: number } | undefined)?.bytes_out ?? Number.NaN
    );
  };

  void test('a file that is read again and again is sent once, and each time with --no-read-ahead', async () => {
    writeFileSync(file, randomBytes(5_000_000));
    await sleep(2.1); // its times are to be older than a tick of their clock
    for (const [option, least, most] of [
      ['--read-ahead', 0.99, 1.1],
      ['--no-read-ahead', 10, 11],
    ] as const) {
      const reader = await begin([option], file);
      const before = await bytesOut();
      const said = await reader.ask('spospsospo');
      assert.equal(new Set(said.map((line) => line.split(' ')[3])).size, 1);
      const sent = ((await bytesOut()) - before) / 5e6;
      note(`${option}: ${sent.toFixed(3)} times`);
      assert.ok(sent > least && sent < most, `it was sent ${sent} times`);
      assert.equal(await reader.end(), 'end');
    }
  });

  void test('where home cannot read ahead, or may not, the program reads as ever', async () => {
    writeFileSync(file, randomBytes(400_000));
    const plain = await begin(null, file);
    const expected = await plain.ask('spso');
    await plain.end();
    for (const fault of ['home_no_lease', 'home_read_ahead']) {
      await arm(testbed, fault);
      const reader = await begin(['--read-ahead'], file);
      assert.deepEqual(await reader.ask('spso'), expected, fault);
      await reader.end();
    }
  });

  void test('names of directories that are looked at in order are asked for together', async () => {
    const [tree, names] = [path.join(directory, 'tree'), 150];
    for (const one of ['a', 'b']) {
      mkdirSync(path.join(tree, one), { recursive: true });
      for (let i = 0; i < names; i++) writeFileSync(path.join(tree, one, `name-${i}`), 'x'.repeat(i));
    }
    const program = `
import os, sys
print('ready', flush=True)
for line in sys.stdin:
    sizes = [(entry, os.lstat(os.path.join(d, entry)).st_size) for d in ('${tree}/a', '${tree}/b') for entry in os.listdir(d)]
    print(sorted(sizes), flush=True)
print('end')`;
    const look = async (away: readonly string[] | null) => {
      const command = away ? ['mosrun', '-r', 'node2', '-J', `${++jobs}`, ...away] : [];
      const words = ['run', '1', '--name', testbed.name, '--', ...command, 'python3', '-c', program];
      const reader = new Reader(spawn(path.join(repository, 'scripts/testbed'), words, { stdio: ['pipe', 'pipe', 'inherit'] }));
      assert.equal(await reader.says(), 'ready');
      const count = async (): Promise<number> => {
        if (!away) return 0;
        const { stdout } = await testbed.run(1, ['mosps', '--calls', `${await pidOfJob(testbed, `${jobs}`)}`, '--json']);
        const { calls } = JSON.parse(stdout) as { calls: { call: string; times: number }[] };
        return calls.find(({ call }) => call === 'newfstatat')?.times ?? 0;
      };
      const before = await count();
      const said = await reader.ask('\n');
      const asked = (await count()) - before;
      assert.equal(await reader.end(), 'end');
      return { said, asked };
    };
    const { said } = await look(null);
    const ahead = await look(['--read-ahead']);
    assert.deepEqual(ahead.said, said);
    assert.ok(ahead.asked < 20, `home was asked ${ahead.asked} times for one of ${2 * names} names`);
    const plainly = await look(['--no-read-ahead']);
    assert.deepEqual(plainly.said, said);
    assert.ok(plainly.asked >= 2 * names, `home was asked ${plainly.asked} times for ${2 * names} names`);
    await arm(testbed, 'home_no_statuses');
    assert.deepEqual((await look(['--read-ahead'])).said, said);
  });

  void test('a disk that cannot be read is told of by the same calls', {
    skip: spawnSync('losetup', ['-f']).status === 0 ? false : 'no loop device',
  }, async () => {
    const [image, mount] = [path.join(directory, 'image'), path.join(directory, 'mount')];
    const run = async (...command: string[]) => {
      const { status, stderr } = await testbed.run(1, command);
      assert.equal(status, 0, `${command.join(' ')}: ${stderr}`);
    };
    mkdirSync(mount);
    writeFileSync(image, '');
    truncateSync(image, 16 << 20);
    await run('mkfs.ext4', '-q', '-O', '^has_journal', image);
    await run('mount', '-o', 'loop', image, mount);
    try {
      await run('sh', '-c', `head -c 9000000 /dev/urandom > ${mount}/file`);
      await run('umount', mount);
      await run('mount', '-o', 'loop,ro', image, mount);
      truncateSync(image, 8 << 20);
      const readers = [await begin(null, path.join(mount, 'file')), await begin(['--read-ahead'], path.join(mount, 'file'))];
      const said: string[][] = [];
      for (const reader of readers) {
        writeFileSync('/proc/sys/vm/drop_caches', '1');
        said.push(await reader.ask('spo'));
        await reader.end();
      }
      assert.match(said[0]?.join('') ?? '', /Input\/output error/);
      assert.deepEqual(said[1], said[0]);
    } finally {
      await testbed.run(1, ['umount', '-l', mount]);
    }
  });
});
