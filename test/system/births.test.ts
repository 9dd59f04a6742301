/**
 * Threads and children of a program that is away: the program sees no difference when the hosting node has no room for one and it is made at home,
 * nor when one is made as another ends.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { arm } from './fault-points.js';
import { whySkipped, endlessPython } from './programs.js';
import { pidOfJob, Workplace } from './storm.js';
import { Testbed, whyNoTestbed } from './testbed.js';

const text = `
import os, subprocess, sys, threading, time
memory = bytearray(range(256)) * 20000
print("ready", flush=True)
while not os.path.exists("go"): time.sleep(0.02)

def threads():
    found = []
    all = [threading.Thread(target=lambda n: found.append((n, threading.get_native_id() > 0)), args=(n,)) for n in range(4)]
    for one in all: one.start()
    for one in all: one.join()
    print(sorted(found), threading.active_count())

def forks():
    for n in range(3):
        child = os.fork()
        if child == 0:
            memory[n] += 1
            print("child", n, sum(memory), os.getppid() == parent, threading.get_native_id() == os.getpid(), flush=True)
            os._exit(n + 5)
        ended, status = os.waitpid(-1, 0)
        print(ended == child, os.WEXITSTATUS(status), sum(memory), flush=True)

def forks_among_threads():
    going = True
    def work():
        while going: sum(range(1000))
    all = [threading.Thread(target=work) for _ in range(3)]
    for one in all: one.start()
    forks()
    going = False

def spawns():
    for n in range(3):
        child = os.posix_spawn("/bin/sh", ["sh", "-c", f"echo spawned {n}; exit {n + 2}"], os.environ)
        print(os.WEXITSTATUS(os.waitpid(child, 0)[1]), flush=True)
        try: os.posix_spawn("/nowhere/at/all", ["none"], {})
        except FileNotFoundError as error: print(error, flush=True)

def runs():
    for n in range(3): print(subprocess.run(["sh", "-c", f"echo run {n}; exit {n}"], capture_output=True), flush=True)

def forks_as_a_thread_ends():
    enough = threading.Event()
    waiting = [threading.Thread(target=enough.wait) for _ in range(6)]   # they have taken the channels in reserve
    for one in waiting: one.start()
    ends = threading.Thread(target=int)
    ends.start()
    ends.join()
    for n in range(4):
        child = os.fork()
        if child == 0: os._exit(n + 5)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    enough.set()

parent = os.getpid()
globals()[sys.argv[1]]()
os.unlink("go")
`;

describe('births away from home', { skip: whyNoTestbed() ?? whySkipped(endlessPython) ?? false }, () => {
  let testbed: Testbed;
  const workplace = new Workplace();
  before(async () => {
    testbed = await Testbed.up(2);
  });
  after(async () => {
    workplace.remove();
    await testbed?.down();
  });

  const cases: [string, string][] = [
    ['threads', 'guest_no_thread'],
    ['forks', 'guest_no_process'],
    ['forks_among_threads', 'guest_no_process'],
    ['spawns', 'guest_no_process'],
    ['runs', 'guest_no_process'],
    ['forks_as_a_thread_ends', 'home_thread_lingers'],
  ];
  for (const [what, fault] of cases) {
    void test(`${what}, ${fault}: the same as at home`, { timeout: 60_000 }, async () => {
      const run = async (job?: string) => {
        const directory = workplace.empty();
        const words = job ? ['mosrun', '-J', job] : [];
        const running = testbed.start(1, [...words, 'python3', '-c', text, what], { cwd: directory, timeout: 50 });
        await running.says('ready');
        if (job) {
          const pid = await pidOfJob(testbed, job);
          await arm(testbed, fault);
          await testbed.json(1, 'migrate', String(pid), 'node2', '--wait', '--json');
        }
        writeFileSync(path.join(directory, 'go'), '');
        const { status, signal, stdout, stderr } = await running.done;
        return { status, signal, stdout, stderr };
      };
      const plain = await run();
      assert.equal(plain.status, 0, plain.stderr);
      assert.deepEqual(await run(`births-${what}`), plain);
      await testbed.comes(1, 5);
    });
  }
});
