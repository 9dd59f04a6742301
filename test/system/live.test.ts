/** Memory that goes ahead while the program runs, out, on and home: what the program finds there is what it wrote, however it changes its memory meanwhile. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { arm } from './fault-points.js';
import { homeProcess } from './kernel.js';
import { compiled, endlessPython, type Program, whySkipped } from './programs.js';
import { bears, churn, churns, dirty, moveOn } from './moving.js';
import { pidOf, Workplace } from './storm.js';
import { note, Testbed, tryRead, until, whyNoTestbed } from './testbed.js';

/** MOSRUN_TEST_LIVE=100 for more. */
const rounds = Number(process.env['MOSRUN_TEST_LIVE'] ?? 20);

/** The kernel takes so much of what a process has marked as not needed, as it would where memory is short. */
function takePages(pid: number, share: number): void {
  const script = [
    'import ctypes, os, re, sys',
    'pid, share = int(sys.argv[1]), float(sys.argv[2])',
    'spans = [[int(x, 16) for x in line.split()[0].split("-")] for line in open(f"/proc/{pid}/maps") if len(line.split()) == 5]',
    'start, end = max(spans, key=lambda span: span[1] - span[0])',
    'length = int((end - start) * share) & -4096',
    'class Span(ctypes.Structure): _fields_ = [("start", ctypes.c_size_t), ("length", ctypes.c_size_t)]',
    'libc = ctypes.CDLL(None, use_errno=True); span = Span(start, length); PAGEOUT = 21',
    'done = libc.syscall(440, os.pidfd_open(pid), ctypes.byref(span), ctypes.c_size_t(1), PAGEOUT, 0)   # process_madvise(2)',
    'assert done == length, os.strerror(ctypes.get_errno())',
  ].join('\n');
  execFileSync('python3', ['-c', script, `${pid}`, `${share}`]);
}

const rss = (pid: number): number => Number(/^VmRSS:\s+(\d+)/m.exec(tryRead(`/proc/${pid}/status`))?.[1]) * 1024;

const inTheWay: Program = compiled('in-the-way');

describe('live moves', { skip: whyNoTestbed() ?? whySkipped(churn) ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();

  before(async () => {
    testbed = await Testbed.up(3);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  const move = (pid: number, to: string): ReturnType<typeof moveOn> => moveOn(testbed, pid, to);

  void test('threads and children that map, unmap, move, give up and write memory', { timeout: 300_000 }, () =>
    churns(testbed, workplace, rounds * 3),
  );

  void test('a program of 128 MiB runs while most of it goes', { timeout: 120_000 }, async () => {
    const { pid, look, end } = await dirty(testbed, workplace, [128, 10]);
    const told: string[] = [];
    for (const to of ['node2', 'node3', 'home', 'node2', 'home']) {
      const { freeze_seconds: frozen, total_seconds: total, bytes, saved_bytes: saved } = await move(pid, to);
      told.push(`${to} ${(frozen * 1000).toFixed(1)} of ${(total * 1000).toFixed(0)} ms`);
      assert.ok(bytes + saved > 128 * 2 ** 20, `${bytes} bytes to ${to}, ${saved} saved`);
      assert.equal(bytes < 100 * 2 ** 20, to === 'home', `${bytes} bytes to ${to}: home has most of it`);
      // Whatever else the machine does, the freeze is a small part of the move.
      if (to !== 'node3') assert.ok(frozen < total / 3, `frozen for ${frozen} s of ${total} s on the way to ${to}`);
      await look(`on the way to ${to}`);
    }
    note(told.join(', '));
    await end();
  });

  void test('what home still has is not sent; what the kernel has taken from it meanwhile is, and all of it where that is switched off', {
    timeout: 120_000,
  }, async () => {
    const { pid, look, end } = await dirty(testbed, workplace, [64, 1]);
    const comes = async (when: string, least: number, most: number) => {
      const { bytes } = await move(pid, 'home');
      await look(when);
      note(`${when}: ${(bytes / 2 ** 20).toFixed(1)} MiB`);
      assert.ok(bytes >= least * 2 ** 20 && bytes < most * 2 ** 20, `${bytes} bytes ${when}`);
    };
    await move(pid, 'node2');
    await comes('with all of it there', 0, 20);
    await move(pid, 'node2');
    await move(pid, 'node3');
    takePages(homeProcess(testbed, 1, pid) ?? 0, 0.5);
    await comes('with half of it there', 24, 48);
    await move(pid, 'node2');
    takePages(homeProcess(testbed, 1, pid) ?? 0, 1);
    await comes('with none of it there', 60, 90);
    await move(pid, 'node2');
    await arm(testbed, 'stage_mute');
    await comes('with home not saying', 64, 90);
    await testbed.configure(1, { migration: { keep: false } });
    await move(pid, 'node2');
    const small = () => rss(homeProcess(testbed, 1, pid) ?? 0) < 16 * 2 ** 20;
    await until(small, 5, 'all of it to be given back');
    await comes('switched off', 64, 90);
    await testbed.configure(1, { migration: { keep: true } });
    await end();
  });

  void test('a pipe ends when the program closes it, whatever takes its memory at home has been given', {
    timeout: 120_000,
  }, async () => {
    const script = [
      'import os, signal, time',
      'going = True',
      'def end(*_):',
      '    global going',
      '    going = False',
      'signal.signal(signal.SIGTERM, end)',
      'memory = bytearray(os.urandom(8 << 20)); wrong = closed = 0',
      'print("ready", flush=True)',
      'while going:',
      '    reads, writes = os.pipe()',
      '    time.sleep(0.1)',
      '    os.close(reads); closed += 1',
      '    try: os.write(writes, b"x"); wrong += 1',
      '    except BrokenPipeError: pass',
      '    os.close(writes)',
      'print("all ended" if closed and not wrong else f"{wrong} of {closed} had a reader still")',
    ].join('\n');
    const running = testbed.start(1, ['mosrun', 'python3', '-c', script], { cwd: workplace.empty(), timeout: 110 });
    await running.says('ready');
    const pid = await pidOf(testbed, 'python3 -c');
    for (let turn = 0; turn < 4; turn++) {
      await move(pid, 'node2');
      await arm(testbed, 'stage_lingers');
      await move(pid, 'home');
    }
    await testbed.kill(1, pid);
    const { status, stdout, stderr } = await running.done;
    assert.deepEqual([status, stdout, stderr], [0, 'ready\nall ended\n', '']);
  });

  void test('a child born while its parent is copied has none of what is only on its way', { timeout: 120_000 }, () =>
    bears(testbed, workplace),
  );
});

describe('live moves over a slow link', { skip: whyNoTestbed() ?? whySkipped(endlessPython) ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();

  before(async () => {
    testbed = await Testbed.up(3, '--rate', '400mbit');
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  void test('memory that changes while it is compressed', { timeout: 300_000 }, () => churns(testbed, workplace, 12));

  void test('memory that the program maps meanwhile where the stub is to lie has the move begun again, and is not lost', {
    timeout: 120_000,
  }, async () => {
    inTheWay.make?.();
    const running = testbed.start(1, ['mosrun', ...inTheWay.command, '16'], { cwd: workplace.empty(), timeout: 110 });
    await running.says('ready');
    const pid = await pidOf(testbed, `${inTheWay.command.join(' ')} 16`);
    let again = 0;
    let moves = 0;
    for (; moves < 60 && (again < 3 || moves < 6); moves++) {
      const begun = performance.now();
      const { total_seconds: total } = await moveOn(testbed, pid, 'node2');
      // The order that was carried out is all that is told of.
      if ((performance.now() - begun) / 1000 > total * 1.6 + 0.1) again++;
      await moveOn(testbed, pid, 'home');
    }
    note(`${moves} moves, ${again} of them begun again`);
    assert.ok(again >= 3, `${moves} moves, ${again} of them begun again`);
    await testbed.kill(1, pid);
    const { status, stdout, stderr } = await running.done;
    assert.deepEqual([status, stdout, stderr], [0, 'ready\n0 wrong, was in the way\n', '']);
  });

  /** Connections that this node has had much over, of those there are. */
  const full = (node: number): number => {
    const told = execFileSync('nsenter', ['-t', `${testbed.node(node).pid}`, '-n', 'ss', '-tinH'], { encoding: 'utf8' });
    return [...told.matchAll(/bytes_received:(\d+)/g)].filter(([, bytes]) => Number(bytes) > 4 * 2 ** 20).length;
  };
  /** How many connections the memory of a process comes over. */
  async function streams(pid: number, to: string, node: number): Promise<number> {
    const before = full(node);
    const going = { is: true };
    const moved = moveOn(testbed, pid, to).finally(() => (going.is = false));
    let most = 0;
    for (; going.is; await setTimeout(50)) most = Math.max(most, full(node) - before);
    await moved;
    return most;
  }

  void test('what is large goes over several connections, and over one where no more can be had; with one of them cut it stays', {
    timeout: 120_000,
  }, async () => {
    // What home still has would not come over any.
    await testbed.configure(1, { migration: { keep: false } });
    const { pid, look, end } = await dirty(testbed, workplace, [64, 1]);
    const seen = async (to: string, node: number, expected: number) => {
      assert.equal(await streams(pid, to, node), expected, `on the way to ${to}`);
      await look(`having come to ${to}`);
    };
    await seen('node2', 2, 4);
    await seen('node3', 3, 4);
    await seen('home', 1, 4);
    await arm(testbed, 'stream_cut');
    const failed = await testbed.run(1, ['migrate', `${pid}`, 'node2', '--wait']);
    assert.deepEqual([failed.status, /cut/.test(failed.stderr)], [1, true], failed.stderr);
    await look('when one of its streams was cut');
    await seen('node2', 2, 4);
    await arm(testbed, 'stage_one_stream');
    await seen('home', 1, 1);
    await testbed.configure(1, { security: { encrypt: true } });
    for (const [to, node] of [
      ['node2', 2],
      ['node3', 3],
      ['home', 1],
    ] as const)
      await seen(to, node, 4);
    await testbed.configure(1, { migration: { keep: true }, security: { encrypt: false } });
    await end();
  });

  void test('what can be compressed goes compressed, unless that is switched off, and random bytes as they are', {
    timeout: 120_000,
  }, async () => {
    const script = [
      'import hashlib, os, random, signal, sys, time',
      'going = True',
      'def end(*_):',
      '    global going',
      '    going = False',
      'signal.signal(signal.SIGTERM, end)',
      'random.seed(7)',
      'text = bytearray(b"".join(b"%08d " % random.randrange(10**6) for _ in range(1 << 16)) * 40)',
      'noise = bytearray(os.urandom(len(text)))',
      'def seen(): return hashlib.md5(text).hexdigest() + hashlib.md5(noise).hexdigest()',
      'first = seen()',
      'print("ready", flush=True)',
      'at = 0',
      'while going:',
      '    at = (at + 40961) % len(text); text[at] ^= 1; noise[at] ^= 1',
      '    time.sleep(0.001)',
      '    text[at] ^= 1; noise[at] ^= 1',
      'print("as it was" if seen() == first else "WRONG")',
    ].join('\n');
    const running = testbed.start(1, ['mosrun', 'python3', '-c', script], { cwd: workplace.empty(), timeout: 110 });
    await running.says('ready');
    const pid = await pidOf(testbed, 'python3 -c');
    const size = 9 * 2 ** 16 * 40;
    const told: string[] = [];
    for (const to of ['node2', 'node3', 'home']) {
      const { bytes, saved_bytes: saved } = await moveOn(testbed, pid, to);
      told.push(`${to} ${bytes} sent, ${saved} saved`);
      // Home still has what it was.
      if (to === 'home') assert.ok(saved > size * 1.8 && bytes < size / 2, `${told.at(-1)} of twice ${size}`);
      else assert.ok(saved > size / 8 && bytes > size, `${told.at(-1)} of twice ${size}`);
    }
    await testbed.configure(1, { migration: { compress: false, keep: false } });
    for (const to of ['node2', 'home']) {
      const { saved_bytes: saved } = await moveOn(testbed, pid, to);
      assert.equal(saved, 0, `switched off, to ${to}`);
    }
    await testbed.configure(1, { migration: { compress: true, keep: true }, security: { encrypt: true } });
    assert.equal((await moveOn(testbed, pid, 'node2')).saved_bytes, 0, 'encrypted');
    await moveOn(testbed, pid, 'home');
    note(told.join('; '));
    await testbed.kill(1, pid);
    const { status, stdout, stderr } = await running.done;
    assert.deepEqual([status, stdout, stderr], [0, 'ready\nas it was\n', '']);
  });
});
