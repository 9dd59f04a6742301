/** Waits with a time-out keep it, however often and by whatever they are stopped on their way out, and end as they would at home. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { arm } from './fault-points.js';
import { endlessPython, whySkipped } from './programs.js';
import { pidOfJob, Workplace } from './storm.js';
import { Testbed, whyNoTestbed } from './testbed.js';

/** Threads of one process, all of which wait for `seconds`; in the end it says what each call gave and how long it took. */
const seconds = 8;
const text = `
import ctypes, errno, os, select, socket, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
buffer = lambda *numbers: ctypes.create_string_buffer(struct.pack(f"{len(numbers)}q", *numbers))
whole = lambda: buffer(${seconds}, 0)
reads, _ = os.pipe()
timed, other = socket.socketpair()
timed.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", ${seconds}, 0))
epoll = select.epoll()
epoll.register(reads, select.EPOLLIN)
word = ctypes.c_int(0)
calls = {
    "nanosleep": lambda: libc.nanosleep(whole(), None),
    "nanosleep with its rest": lambda: libc.nanosleep(whole(), whole()),
    "clock_nanosleep": lambda: libc.clock_nanosleep(1, 0, whole(), None),
    "poll": lambda: libc.poll(struct.pack("ihh", reads, 1, 0), 1, ${seconds} * 1000),
    "ppoll": lambda: libc.ppoll(struct.pack("ihh", reads, 1, 0), 1, whole(), None),
    "select": lambda: libc.select(0, None, None, None, whole()),
    "epoll_wait": lambda: libc.epoll_wait(epoll.fileno(), ctypes.create_string_buffer(12), 1, ${seconds} * 1000),
    "futex": lambda: libc.syscall(202, ctypes.byref(word), 128, 0, whole(), None, 0),
    "recv": lambda: libc.recv(timed.fileno(), ctypes.create_string_buffer(1), 1, 0),
}
ended = {}
def wait(name, call):
    began = time.monotonic()
    result = call()
    ended[name] = f"{result} {errno.errorcode.get(ctypes.get_errno() if result < 0 else 0)} {time.monotonic() - began:.2f}"
threads = [threading.Thread(target=wait, args=one) for one in calls.items()]
for one in threads: one.start()
print("ready", flush=True)
for one in threads: one.join()
for name in calls: print(f"{name}: {ended[name]}")
`;

describe('waits', { skip: whyNoTestbed() ?? whySkipped(endlessPython) ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();
  before(async () => {
    testbed = await Testbed.up(2);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  /** What each wait gave, and how many seconds it took. */
  const ends = (stdout: string): Map<string, { gave: string; took: number }> =>
    new Map(
      [...stdout.matchAll(/^(.*): (-?\d+ \w+) ([\d.]+)$/gm)].map(([, name, gave, took]) => [
        name as string,
        { gave: gave as string, took: Number(took) },
      ]),
    );
  const move = async (pid: number, to: string) => (await testbed.run(1, ['migrate', String(pid), to, '--wait'])).status;

  /** Milliseconds between the moves: more than a wait may be late. */
  const pause = 1500;
  const cases: Record<string, (pid: number) => Promise<void>> = {
    'moved out': async (pid) => assert.equal(await move(pid, 'node2'), 0),
    'moved out after a move that failed': async (pid) => {
      await arm(testbed, 'stub_no_memory');
      assert.notEqual(await move(pid, 'node2'), 0);
      await sleep(pause);
      assert.equal(await move(pid, 'node2'), 0);
    },
    'moved out after many that failed, one upon another': async (pid) => {
      for (let failed = 0; failed < 12; failed++) {
        await arm(testbed, 'stub_no_memory');
        assert.notEqual(await move(pid, 'node2'), 0);
      }
      assert.equal(await move(pid, 'node2'), 0);
    },
    'moved out, home and out again': async (pid) => {
      for (const to of ['node2', 'home', 'node2']) {
        assert.equal(await move(pid, to), 0, to);
        await sleep(pause);
      }
    },
    'moved out long after they were asked to stand still': async (pid) => {
      await arm(testbed, 'stop_late');
      assert.equal(await move(pid, 'node2'), 0);
    },
    'moved out when the scheduler has forgotten since when they sleep': async (pid) => {
      await arm(testbed, 'sleep_forgotten');
      assert.equal(await move(pid, 'node2'), 0);
    },
  };
  for (const [name, moves] of Object.entries(cases))
    void test(name, { timeout: 60_000 }, async () => {
      // On one processor: on another the scheduler's clocks say nothing of the time before.
      const running = testbed.start(1, ['mosrun', '-J', 'waits', 'taskset', '-c', '0', 'python3', '-c', text], {
        cwd: workplace.empty(),
        timeout: 50,
      });
      await running.says('ready');
      await sleep(pause);
      await moves(await pidOfJob(testbed, 'waits'));
      const { status, stdout, stderr } = await running.done;
      assert.equal(status, 0, stderr);
      const found = ends(stdout);
      assert.equal(found.size, 9, stdout);
      for (const [call, { gave, took }] of found) {
        const expected = { recv: '-1 EAGAIN', futex: '-1 ETIMEDOUT' }[call] ?? '0 None';
        assert.equal(gave, expected, call);
        assert.ok(took >= seconds && took < seconds + pause / 2000, `${call} took ${took} s: ${stdout}`);
      }
    });

  void test('one that was stopped stays until its time is over, and one that has its rest written down moves', {
    timeout: 60_000,
  }, async () => {
    const program = `
import ctypes, select, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
whole = lambda: ctypes.create_string_buffer(struct.pack("2q", 5, 0))
waits = {"poll": lambda: libc.poll(None, 0, 5000), "sleep": lambda: libc.nanosleep(whole(), whole())}
print("ready", flush=True)
began = time.monotonic()
result = waits[sys.argv[1]]()
print(f"{result} after {time.monotonic() - began:.2f} s", flush=True)
sys.stdin.read()
`;
    for (const wait of ['poll', 'sleep']) {
      // Not a child of the runner's, which would stop with it.
      const command = ['sh', '-c', 'exec 3<&0; mosrun "$@" <&3 & wait $!', 'sh', '-J', wait, 'python3', '-c', program, wait];
      const running = testbed.start(1, command, { cwd: workplace.empty(), talks: true, timeout: 30 });
      await running.says('ready');
      const pid = await pidOfJob(testbed, wait);
      await sleep(1000);
      await testbed.kill(1, pid, 'STOP');
      await sleep(500);
      await testbed.kill(1, pid, 'CONT');
      await sleep(300);
      const { status, stderr } = await testbed.run(1, ['migrate', `${pid}`, 'node2', '--wait']);
      assert.equal(status, wait === 'sleep' ? 0 : 1, stderr);
      if (wait === 'poll') assert.match(stderr, /it goes on with a wait that was stopped/);
      await running.says(' s\n', 20);
      assert.match(running.stdout, /^0 after (5\.[0-6]\d) s$/m);
      if (wait === 'poll') assert.equal(await move(pid, 'node2'), 0, 'when it is over it can be moved');
      running.child.stdin?.end();
      assert.equal((await running.done).status, 0);
    }
  });
});
