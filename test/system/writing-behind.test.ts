/** Programs that are away do not wait for what they write to files, and nobody can tell, but when the disk is full meanwhile: then a later call says so. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { arm } from './fault-points.js';
import { endlessPython, whySkipped } from './programs.js';
import { note, Testbed, whyNoTestbed } from './testbed.js';

const options = ['--write-behind', '--no-write-behind'] as const;

describe('writing behind', { skip: whyNoTestbed() ?? whySkipped(endlessPython) ?? false, timeout: 120_000 }, () => {
  let testbed: Testbed;
  const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-behind-'));
  before(async () => {
    testbed = await Testbed.up(2, '--delay', '2ms');
  });
  after(async () => {
    await testbed?.down();
    rmSync(directory, { recursive: true, force: true });
  });

  /** What a program says at home, or away with such an option. */
  async function says(program: string, option: (typeof options)[number] | null, cwd = directory): Promise<string> {
    const command = [...(option ? ['mosrun', '-r', 'node2', option] : []), 'python3', '-c', program];
    const { status, stdout, stderr } = await testbed.run(1, command, { cwd, timeout: 60 });
    assert.equal(status, 0, stderr);
    return stdout;
  }

  void test('a program waits for few of its writes, and for each with --no-write-behind', async () => {
    const program = `
import os, time
file = os.open("file", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
began = time.monotonic()
for each in range(400): assert os.write(file, b"%04d" % each * 500) == 2000
print(time.monotonic() - began)
assert os.fstat(file).st_size == 400 * 2000`;
    const [behind, waiting] = [Number(await says(program, options[0])), Number(await says(program, options[1]))] as const;
    note(`400 writes over a round trip of 4 ms: ${behind.toFixed(2)} s, and ${waiting.toFixed(2)} s where each is waited for`);
    assert.ok(waiting > 1.6, `400 round trips in ${waiting} s`);
    assert.ok(behind < waiting / 2, `${behind} s`);
  });

  void test('another program at home finds what it is told of', async () => {
    const writer = `
import os, struct
file = os.open("told", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
tell = os.open("tells", os.O_WRONLY)
for each in range(300):
    os.write(file, b"%05d" % each * 300)
    if each % 3: os.write(tell, struct.pack("i", each + 1))`;
    const reader = `
import os, struct
tell, found = os.open("tells", os.O_RDONLY), 0
while True:
    told = os.read(tell, 4)
    if not told: break
    size = os.stat("told").st_size
    with open("told", "rb") as file: data = file.read()
    found += 1
    assert size >= struct.unpack("i", told)[0] * 1500 and data[:1500 * (size // 1500)] == b"".join(b"%05d" % each * 300 for each in range(size // 1500)), (found, size)
print(found, size)`;
    for (const option of options) {
      rmSync(path.join(directory, 'tells'), { force: true });
      assert.equal(spawnSync('mkfifo', [path.join(directory, 'tells')]).status, 0);
      const reading = testbed.start(1, ['python3', '-c', reader], { cwd: directory, timeout: 60 });
      const wrote = says(writer, option);
      const { status, stdout, stderr } = await reading.done;
      assert.deepEqual([status, stdout], [0, '200 450000\n'], stderr);
      await wrote;
    }
  });

  void test('one that fails is told of by the next, or by fsync or close', async () => {
    const program = (then: string) => `
import errno, os, time
file = os.open("failing", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
said = []
def tries(name, call):
    try: said.append(f"{name} {call()}")
    except OSError as error: said.append(f"{name} {errno.errorcode[error.errno]}")
tries("first", lambda: os.write(file, b"a" * 1000))
tries("second", lambda: os.write(file, b"b" * 1000))
time.sleep(0.1)
${then}
print(", ".join(said), os.stat("failing").st_size)`;
    for (const [then, expected] of [
      [
        'tries("third", lambda: os.write(file, b"c" * 10)); tries("fourth", lambda: os.write(file, b"d" * 10))',
        'first 1000, second 1000, third ENOSPC, fourth 10 1010',
      ],
      [
        'tries("fsync", lambda: os.fsync(file)); tries("again", lambda: os.fsync(file)); tries("third", lambda: os.write(file, b"c" * 10))',
        'first 1000, second 1000, fsync ENOSPC, again None, third 10 1010',
      ],
      [
        'tries("close", lambda: os.close(file)); tries("again", lambda: os.close(file))',
        'first 1000, second 1000, close ENOSPC, again EBADF 1000',
      ],
      [
        'other = os.dup(0); os.dup2(other, file); os.close(file); file = os.open("failing", os.O_RDWR | os.O_APPEND); tries("third", lambda: os.write(file, b"c" * 10))',
        'first 1000, second 1000, third 10 1010',
      ],
    ] as const) {
      await arm(testbed, 'home_write_fails');
      assert.equal(await says(program(then), '--write-behind'), `${expected}\n`);
    }
  });

  void test('a disk that is nearly full is told of by the write that it is full for', async () => {
    const mount = path.join(directory, 'small');
    mkdirSync(mount);
    const program = `
import errno, os
file, done = os.open("small/file", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 0
try:
    while True: done += os.write(file, b"x" * 5000)
except OSError as error: print(done, errno.errorcode[error.errno])`;
    const mounted = await testbed.run(1, ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'mosrun-test', mount]);
    assert.equal(mounted.status, 0, mounted.stderr);
    const plain = await says(program, null);
    assert.match(plain, /ENOSPC/);
    for (const option of options) assert.equal(await says(program, option), plain, option);
    await testbed.run(1, ['umount', mount]);
  });
});
