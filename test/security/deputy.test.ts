/** A hosting node that asks a real deputy for what it must not do: it does it not, and serves on or ends the process with the reason. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { after, afterEach, describe, test } from 'node:test';
import { table } from '../../native/syscalls/table.js';
import { forwardable } from '../../native/syscalls/header.js';
import { FakeHost, Op, type Request, encode, whyNoMover } from './fake-host.js';

const NOBODY = 65534;
const ENOENT = -2;
const EPERM = -1;
const EBADF = -9;
const EAGAIN = -11;
const EACCES = -13;
const EFAULT = -14;
const EINVAL = -22;
const ENOSYS = -38;
const RESTART = -512;
const STAYS_AWAY = 1;
const GETPPID = 110;
const IN_OUT = 0x80000000;
const MIB = 1 << 20;
const string = (text: string): Buffer => Buffer.from(`${text}\0`);
const words = (...numbers: (number | bigint)[]): Buffer => {
  const bytes = Buffer.alloc(8 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(number)), 8 * index);
  return bytes;
};

describe('the deputy against a hosting node', { skip: whyNoMover() ?? false, timeout: 120_000 }, () => {
  const hosts: FakeHost[] = [];
  const directory = mkdtempSync('/tmp/mosrun-deputy-');
  chmodSync(directory, 0o755);
  const secret = `${directory}/secret`;
  writeFileSync(secret, 'not for everyone', { mode: 0o600 });

  const capture = async (uid = NOBODY): Promise<FakeHost> => {
    const host = await FakeHost.capture(['/bin/sleep', '1000'], uid);
    hosts.push(host);
    return host;
  };
  afterEach(() => {
    for (const host of hosts.splice(0)) host.close();
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** Refused one after another, and the deputy goes on. */
  async function refuses(host: FakeHost, rows: [string, Request, number][]): Promise<void> {
    const before = host.region();
    for (const [what, request, wanted] of rows) assert.equal(await host.result(request), wanted, what);
    assert.deepEqual(host.region(), before, 'its memory is mapped as before');
    assert.ok(await host.isServed(), 'it serves on');
  }

  /** The process ends, and its user is told why. */
  async function ends(bytes: Buffer, why: RegExp): Promise<void> {
    const host = await capture();
    host.say(bytes);
    const { signal, said } = await host.end();
    assert.equal(signal, 'SIGKILL');
    assert.match(said, why);
  }

  void test('does with the rights of its user what it is asked for, and no more', async () => {
    const host = await capture();
    const open = (file: string): Request => ({ nr: 2, args: [0, 0, 0], payload: string(file), in: [0] });
    assert.equal(await host.result(open(secret)), EACCES);
    assert.equal(await host.result({ nr: 105, args: [0] }), EPERM, 'setuid(0)');
    assert.equal(await host.result({ nr: 62, args: [process.pid, 0] }), EPERM, 'kill of a process of root');
    assert.equal(await host.result({ nr: 170, args: [0, 4], payload: string('evil'), in: [0] }), EPERM, 'sethostname');
    assert.equal(await host.result({ nr: 87, args: [0], payload: string(secret), in: [0] }), EACCES, 'unlink');
    assert.ok(((await host.result(open('/etc/passwd'))) ?? -1) >= 0, 'what its user may read');
    const root = await capture(0);
    assert.ok(((await root.result(open(secret))) ?? -1) >= 0, 'a process of root may');
    assert.equal(readFileSync(secret, 'utf8'), 'not for everyone');
  });

  void test('runs no call that is not in the table', async () => {
    const host = await capture();
    const refused = table.filter((row) => !forwardable(row)).map((row) => row.number);
    assert.ok(refused.length > 50);
    const rows = refused.flatMap((nr): [string, Request, number][] => [
      [`call ${nr}`, { nr, args: [9, 9, 9, 9, 9, 9] }, ENOSYS],
      [`call ${nr} with nothing`, { nr }, ENOSYS],
    ]);
    await refuses(host, rows);
  });

  void test('runs no other call in the name of exec, nor over a mapping', async () => {
    const host = await capture();
    const others = table.map((row) => row.number).filter((nr) => nr !== 59 && nr !== 322);
    await refuses(
      host,
      others.map((nr) => [`exec as call ${nr}`, { op: Op.exec, nr, args: [77] }, ENOSYS]),
    );
    await refuses(
      host,
      others
        .filter((nr) => ![9, 10, 11, 28].includes(nr))
        .map((nr) => [`map as call ${nr}`, { op: Op.map, nr, args: [4096, 4096] }, ENOSYS]),
    );
  });

  void test('lets no call reach beyond the buffers of its request', async () => {
    const host = await capture();
    const [zero, urandom] = [
      await host.result({ nr: 2, args: [0, 0, 0], payload: string('/dev/zero'), in: [0] }),
      await host.result({ nr: 2, args: [0, 1, 0], payload: string('/dev/null'), in: [0] }),
    ];
    assert.ok(zero !== null && urandom !== null && zero >= 0 && urandom >= 0);
    const stub = host.base + 0x40000n;
    const small = Buffer.alloc(8);
    await refuses(host, [
      ['read of more than there is room for', { nr: 0, args: [zero, 0, 100_000], out: [1], outSize: 8, resultSize: 1 }, EFAULT],
      ['read behind the last byte', { nr: 0, args: [zero, 8, 1], out: [1], outSize: 8, resultSize: 1 }, EFAULT],
      ['read of a negative number', { nr: 0, args: [zero, 0, -1], out: [1], outSize: 8, resultSize: 1 }, EFAULT],
      ['read into the payload', { nr: 0, args: [zero, 0, 100_000], in: [1], payload: small }, EFAULT],
      ['write of more than came', { nr: 1, args: [urandom, 0, 100_000], in: [1], payload: small }, EFAULT],
      ['an address instead of an offset', { nr: 0, args: [zero, stub, 8] }, ENOSYS],
      ['an offset outside', { nr: 0, args: [zero, 9, 0], out: [1], outSize: 8 }, ENOSYS],
      ['an offset into both buffers', { nr: 0, args: [zero, 0, 1], in: [1], out: [1], outSize: 8, payload: small }, ENOSYS],
      ['fstat with less room than a stat', { nr: 5, args: [zero, 0], out: [1], outSize: 100 }, EFAULT],
      ['poll of more than came', { nr: 7, args: [0, 1000, 0], out: [0], outSize: 8, payload: small, inoutSize: 8 }, EFAULT],
      [
        'select of more than came',
        { nr: 23, args: [1024, 0, 0, 0, 0], out: [1], outSize: 8, payload: small, inoutSize: 8 },
        EFAULT,
      ],
      ['a path without its end', { nr: 2, args: [0, 0, 0], in: [0], payload: Buffer.alloc(64, 'a') }, EFAULT],
      ['fcntl with an address', { nr: 72, args: [zero, 5, stub] }, EFAULT],
      ['fcntl with little room', { nr: 72, args: [zero, 5, 0], out: [2], outSize: 8 }, EFAULT],
      ['fcntl of an unknown kind', { nr: 72, args: [zero, 0x7777, stub] }, EFAULT],
      ['ioctl with an address', { nr: 16, args: [zero, 0x5413, stub] }, EFAULT],
      ['ioctl of an unknown kind', { nr: 16, args: [zero, 0x12345678, stub] }, EFAULT],
      ['prctl with an address', { nr: 157, args: [16, stub, 0, 0, 0] }, EFAULT],
      ['prctl that comes home', { nr: 157, args: [35, 14, stub, 104, 0] }, EFAULT],
      ['readv to an address', { nr: 19, args: [zero, 0, 1], in: [1], payload: words(stub, 64) }, EFAULT],
      ['writev from an address', { nr: 20, args: [urandom, 0, 1], in: [1], payload: words(stub, 64) }, EFAULT],
      ['readv of more vectors than came', { nr: 19, args: [zero, 0, 500], in: [1], payload: words(0, 0) }, EFAULT],
      [
        'readv behind the out buffer',
        { nr: 19, args: [zero, 0, 1], in: [1], payload: words(0, 5000), relocations: [[0, IN_OUT]], outSize: 8 },
        EFAULT,
      ],
      ['a relocation outside', { nr: 19, args: [zero, 0, 1], in: [1], payload: words(0, 8), relocations: [[9, 0]] }, ENOSYS],
      ['a relocation to outside', { nr: 19, args: [zero, 0, 1], in: [1], payload: words(0, 8), relocations: [[0, 17]] }, ENOSYS],
      ['sendmsg of an address', { nr: 46, args: [zero, 0, 0], in: [1], payload: words(0, 0, stub, 1, 0, 0, 0) }, EFAULT],
      [
        'sendmsg with control data elsewhere',
        { nr: 46, args: [zero, 0, 0], in: [1], payload: words(0, 0, 0, 0, stub, 64, 0) },
        EFAULT,
      ],
      ['recvmsg to a name elsewhere', { nr: 47, args: [zero, 0, 0], in: [1], payload: words(stub, 128, 0, 0, 0, 0, 0) }, EFAULT],
      ['sendmmsg', { nr: 307, args: [zero, 0, 1, 0], in: [1], payload: Buffer.alloc(64) }, EFAULT],
      [
        'getsockname with a false length',
        { nr: 51, args: [zero, 8, 0], out: [1, 2], outSize: 16, payload: words(4096), inoutSize: 8 },
        EFAULT,
      ],
      ['a mask elsewhere', { nr: 270, args: [0, 0, 0, 0, 0, 0], in: [5], payload: words(stub, 8) }, EFAULT],
    ]);
    const inout: Request = { nr: 7, args: [0, 1, 0], out: [0], outSize: 8, payload: small, inoutSize: 16 };
    assert.equal(await host.result(inout), EINVAL, 'initial content that did not come');
  });

  void test('keeps its own memory from fetches and mappings', async () => {
    const host = await capture();
    const { base } = host;
    const fetches: [string, bigint, bigint][] = [
      ['its control', base + 0x40000n, 4096n],
      ['its slot', base + (6n << 20n), 4096n],
      ['from below', base - 4096n, 1n << 20n],
      ['all of it', 4096n, 1n << 60n],
      ['round the end', -4096n, base + 8192n],
    ];
    await refuses(
      host,
      fetches.flatMap(([what, at, length]): [string, Request, number][] => [
        [`fetch ${what}`, { op: Op.fetch, args: [at, length], outSize: MIB }, EFAULT],
        [`fetch ${what} with a protection`, { op: Op.fetch, args: [at, length, 1, 7], outSize: 16 * MIB }, EFAULT],
      ]),
    );
    const FIXED = 0x32;
    await refuses(
      host,
      fetches.flatMap(([what, at, length]): [string, Request, number][] => [
        [`mmap over ${what}`, { op: Op.map, nr: 9, args: [at, length, 7, FIXED, -1, 0] }, EINVAL],
        [`munmap of ${what}`, { op: Op.map, nr: 11, args: [at, length] }, EINVAL],
        [`mprotect of ${what}`, { op: Op.mirror, nr: 10, args: [at, length, 7] }, EINVAL],
        [`madvise of ${what}`, { op: Op.mirror, nr: 28, args: [at, length, 4] }, EINVAL],
      ]),
    );
    assert.ok(!host.region().some((line) => / rwx/.test(line)), 'nothing of it is both writable and executable');
  });

  void test('looks at names of a directory, as many as there are and there is room for', async () => {
    const host = await capture();
    const statuses = (payload: Buffer, outSize: number, nr = 262): Request => ({
      op: Op.statuses,
      nr,
      args: [-100],
      payload,
      outSize,
    });
    const names = Buffer.concat([string('/usr/'), string('bin'), string('no such name'), string('lib')]);
    await refuses(host, [
      ['three', statuses(names, 3 * 152), 3 * 152],
      ['with room for two', statuses(names, 3 * 152 - 1), 2 * 152],
      ['with room for none', statuses(names, 8), 0],
      ['by statx', statuses(names, MIB, 332), 3 * 264],
      ['without an end', statuses(names.subarray(0, -1), MIB), EINVAL],
      ['no directory', statuses(Buffer.alloc(0), MIB), EINVAL],
      ['without names', statuses(string('/usr/'), MIB), 0],
      ['where others would be asked', statuses(Buffer.concat([string('/proc/'), string('self')]), MIB), 0],
      ['by another call', statuses(names, MIB, 2), EINVAL],
    ]);
  });

  void test('keeps its own descriptors', async () => {
    const host = await capture();
    assert.ok(await host.isServed(), 'what it closes on its way out is closed');
    const own = host.sockets().filter((fd) => fd > 2);
    assert.ok(own.length > 2);
    const each = (what: string, request: (fd: number) => Request): [string, Request, number][] =>
      own.map((fd) => [`${what} ${fd}`, request(fd), EBADF]);
    await refuses(host, [
      ...each('close', (fd) => ({ nr: 3, args: [fd] })),
      ...each('dup2 onto', (fd) => ({ nr: 33, args: [2, fd] })),
      ...each('dup', (fd) => ({ nr: 32, args: [fd] })),
      ...each('shutdown', (fd) => ({ nr: 48, args: [fd, 2] })),
      ...each('read', (fd) => ({ nr: 0, args: [fd, 0, 8], out: [1], outSize: 8 })),
      ...each('fcntl', (fd) => ({ nr: 72, args: [fd, 4, 0x800] })),
      ...each('mmap', (fd) => ({ op: Op.map, nr: 9, args: [4096, 4096, 1, 2, fd, 0] })),
      ...each('names below', (fd) => ({ op: Op.statuses, nr: 262, args: [fd], payload: string('\0name'), outSize: 152 })),
    ]);
    assert.equal(await host.result({ nr: 436, args: [3, 0xffffffff, 0] }), 0, 'close_range');
    assert.deepEqual(
      host.sockets().filter((fd) => fd > 2),
      own,
      'close_range goes round them',
    );
    assert.ok(await host.isServed());
  });

  void test('makes no thread or child in a slot that is in use or is none', async () => {
    const host = await capture();
    const [one, two] = host.spares;
    assert.ok(one && two);
    await refuses(host, [
      ['a channel nobody opened', { op: Op.clone, args: [0x50f00, 1, 4711] }, EAGAIN],
      ['a thread in its own slot', { op: Op.clone, args: [0x50f00, 0, one.serial] }, EAGAIN],
      ['the same channel again', { op: Op.clone, args: [0x50f00, 1, one.serial] }, EAGAIN],
      ['a thread in no slot', { op: Op.clone, args: [0x50f00, 1 << 20, two.serial] }, EAGAIN],
    ]);
    const [, , three, four] = host.spares;
    assert.ok(three && four);
    await refuses(host, [
      ['a child in no slot', { op: Op.fork, args: [17, 1n << 40n, three.serial, four.serial] }, EAGAIN],
      ['a signal that is none', { op: Op.set_action, args: [65], payload: Buffer.alloc(32) }, EINVAL],
      ['SIGKILL caught', { op: Op.set_action, args: [9], payload: Buffer.alloc(32) }, EINVAL],
      ['half an action', { op: Op.set_action, args: [10], payload: Buffer.alloc(8) }, EINVAL],
    ]);
  });

  void test('a return that would write over the deputy is given up, and the process stays away', async () => {
    const host = await capture();
    assert.equal(await host.result({ op: Op.come_home, args: [-1] }), 0);
    const [spare] = host.spares;
    assert.ok(spare);
    host.say(encode({ op: Op.park, args: [1, spare.serial], payload: host.slot }));
    const mapping = Buffer.alloc(32);
    mapping.writeBigUInt64LE(host.base - 4096n, 0);
    mapping.writeBigUInt64LE(host.base + (1n << 20n), 8);
    mapping.writeUInt32LE(3, 16);
    const header = Buffer.alloc(16);
    header.writeUInt32LE(3, 0);
    header.writeUInt32LE(1, 4);
    header.writeBigUInt64LE(32n, 8);
    spare.reader.socket.write(Buffer.concat([encode({ op: Op.dump, args: [0, 0] }), header, mapping]));
    assert.equal((await host.reply())?.result, STAYS_AWAY);
    assert.ok(await host.isServed());
    assert.equal(await host.result({ nr: 80, args: [0], payload: string('/nonexistent'), in: [0] }), ENOENT);
  });

  void test('has a signal handled as was said when it came', async () => {
    const host = await capture();
    const USR1 = 10;
    const SIGNAL_WAITS = 1;
    const action = (handler: number): Buffer => words(handler, 0x04000000, 0x2000, 0);
    const set = (handler: number, byCall: 0 | 1): Request => ({
      op: Op.set_action,
      args: [USR1, byCall],
      payload: action(handler),
    });
    assert.equal(await host.result(set(0x1000, 1)), 0);
    const sent = await host.ask({ nr: 62, args: [host.victim.pid ?? 0, USR1] });
    assert.deepEqual([sent?.result, sent?.flags], [0, SIGNAL_WAITS], 'kill');
    assert.equal(await host.result(set(0, 1)), RESTART, "the thread's own call comes after the handler");
    assert.equal(await host.result(set(0, 0)), 0, 'as another thread would say');
    const delivery = await host.ask({ op: Op.get_signal, outSize: 176 });
    assert.equal(delivery?.result, USR1);
    assert.equal(delivery?.data.readBigUInt64LE(0), 0x1000n);
    assert.equal(await host.result(set(0, 1)), 0, 'and then it may change');
    assert.ok(await host.isServed(), 'nothing is left that would end it');
  });

  const broke = 'the connection to the node it ran on broke';
  const endings: [string, number | undefined, string][] = [
    ['nothing', undefined, broke],
    ['a guest that missed its home', 1 << 8, broke],
    ['a killed guest', 9, 'it was ended on the other node by signal 9, for want of memory or by hand'],
    ['a fault in the stub', 139 << 8, "mosrun's own code failed on the other node, by signal 11"],
    ['no room for a thread', 2 << 8, 'the node it ran on had no room for another thread'],
    ['a status that is none', 99 << 8, broke],
  ];
  for (const [what, status, why] of endings) {
    void test(`the last word of the other node is ${what}: the process ends, and its user is told`, async () => {
      const host = await capture();
      host.leave(status);
      const { signal, said } = await host.end();
      assert.equal(signal, 'SIGKILL');
      assert.equal(said, `mosrun: process ${host.victim.pid} is lost: ${why}\n`);
    });
  }

  const impossible = /^mosrun: process \d+ is lost: its node sent an impossible request\n$/;
  const fatal: [string, Buffer, RegExp][] = [
    ['a number beyond the table', encode({ nr: table.length }), impossible],
    ['a number of x32', encode({ nr: 0x8000 }), impossible],
    ['a payload without end', encode({ nr: 1, inSize: 0xffffffff }), impossible],
    ['an answer without end', encode({ nr: 0, outSize: 0xffffffff }), impossible],
    ['more certain than possible', encode({ nr: 0, outSize: 8, outFixed: 9 }), impossible],
    ['an operation that is none', encode({ op: 999 }), /an unknown request/],
    ['an answer instead of a question', Buffer.alloc(120, 1), /something that is no request/],
    ['a thread too large', encode({ op: Op.park, inSize: 1 << 20 }), /a damaged thread/],
    ['a thread too small', encode({ op: Op.park, inSize: 8 }), /a damaged thread/],
  ];
  for (const [what, bytes, why] of fatal) {
    void test(`${what}: the process ends, and its user is told`, () => ends(bytes, why));
  }

  // To the very end, half a minute, with MOSRUN_TEST_FAULTS=1.
  void test('a guest that does not stop for the way home is slowed down, and ends in the end', async () => {
    const whole = process.env['MOSRUN_TEST_FAULTS'] === '1';
    const requests = whole ? 31_000 : 2_000;
    const host = await capture();
    await host.result({ op: Op.come_home, args: [-1] });
    const began = performance.now();
    const answers: number[] = [];
    host.say(Buffer.concat(Array<Buffer>(requests).fill(encode({ nr: GETPPID }))));
    while (answers.length < requests) {
      const reply = await host.reply();
      if (!reply) break;
      answers.push(reply.result);
    }
    const seconds = (performance.now() - began) / 1000;
    assert.ok(answers.every((answer) => answer === RESTART));
    assert.ok(seconds > 0.001 * (answers.length - 100), `a thousand answers a second at most: ${answers.length} in ${seconds} s`);
    if (!whole) return assert.equal(answers.length, requests);
    const { said } = await host.end();
    assert.ok(answers.length > 29_000, `${answers.length} answers`);
    assert.equal(said, `mosrun: process ${host.victim.pid} is lost: its node did not stop it, to come home or to move on\n`);
  });
});
