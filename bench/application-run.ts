/** One run of a program of others, at home or away, and what it waited for meanwhile. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { CallsDocument, Cluster } from '../lib/api/index.js';
import type { Running, Testbed } from '../test/system/testbed.js';
import type { Application } from './applications.js';

export interface Run {
  seconds: number;
  /** What it read and wrote by calls, and how many. */
  bytesRead: number;
  bytesWritten: number;
  calls: number;
  /** All that its output says but times. */
  result: string;
}

export interface AwayRun extends Run {
  /** Seconds between calls and their results, those that were answered away included; not those that calls for something to come waited at home. */
  waited: number;
  /** How much of it before it was `beginning` seconds old. */
  waitedAtFirst: number;
  /** Requests that went home, and all bytes that went between the nodes for them. */
  forwarded: number;
  carried: number;
  /** Each time that it came home, the call for which it did, if known: it was sent out again at once. */
  returns: string[];
  /** Seconds at its end in which nobody looked: calls made then are not counted. */
  unseen: number;
}

/** Seconds in which a program has begun: its libraries are loaded, and its first pages touched. */
const beginning = 2;
/** Calls for something to come: what they wait at home they would have waited anyway, mostly in a thread beside the one that computes. */
const waiting =
  /^(p?poll|p?select6?|epoll_p?wait2?|futex.*|wait4|waitid|pause|(clock_)?nanosleep|rt_sig(suspend|timedwait)|accept4?)$/;

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);

function waitedIn({ calls, ahead, answered }: CallsDocument): number {
  const seconds = calls.map((one) => one.seconds - (waiting.test(one.call) ? one.home_seconds : 0));
  return sum([...seconds, ahead.seconds, answered.seconds]);
}

// A shell's own counts include those of a child that it has waited for (proc_pid_io(5)).
const script = `
look() { mapfile -t io < /proc/$$/io; echo "$1 $EPOCHREALTIME \${io[*]//[^0-9]/}"; }
look begin
"$@" > out 2> errors &
echo pid $!
wait $!
status=$?
look end
exit $status`;

interface Look {
  at: number;
  counts: number[];
}

function lookOf(stdout: string, which: 'begin' | 'end'): Look {
  const [, at, ...counts] = new RegExp(`^${which} .*$`, 'm').exec(stdout)?.[0].split(' ').map(Number) ?? [];
  if (at === undefined) throw new Error(`no ${which} in: ${stdout}`);
  return { at, counts };
}

function resultOf({ results }: Application, directory: string): string {
  const hash = createHash('sha256');
  for (const [file, wanted] of Object.entries(results)) {
    const found = readFileSync(path.join(directory, file), 'latin1').match(wanted) ?? [];
    if (found.length === 0) throw new Error(`there is nothing in ${path.join(directory, file)}`);
    for (const line of found) hash.update(`${line}\n`);
  }
  return hash.digest('hex');
}

/** Nobody knows the calls of a program once it has ended: they are looked at until then, seldom, but often at its end. */
class Watch {
  /** What each of its stays away came to. */
  readonly stays: CallsDocument[] = [];
  readonly returns: string[] = [];
  waitedAtFirst = 0;
  /** When it was last seen, seconds since 1970. */
  seen = Date.now() / 1000;
  private present: CallsDocument | undefined;
  private left = false;
  private readonly pid: number;
  private readonly began: number;

  constructor(
    private readonly home: Cluster,
    private readonly running: Running,
    /** About when it will end, seconds from its start; 0: nobody knows. */
    private readonly expected: number,
  ) {
    this.pid = Number(/^pid (\d+)/m.exec(running.stdout)?.[1]);
    this.began = lookOf(running.stdout, 'begin').at;
  }

  async untilItEnds(): Promise<this> {
    while (!this.running.ended) {
      const passed = Date.now() / 1000 - this.began;
      await this.look(passed);
      const often = passed < beginning || passed >= 0.9 * this.expected;
      await this.running.within(often ? 0.02 : Math.min(1, 0.9 * this.expected - passed));
    }
    this.close();
    return this;
  }

  private async look(passed: number): Promise<void> {
    // It has not begun, or has just ended.
    const found = await this.home.calls(this.pid).catch(() => undefined);
    if (!found) return;
    this.seen = this.began + passed;
    if (found.calls.length > 0) this.present = found;
    if (passed <= beginning) this.waitedAtFirst = sum([...this.stays, this.present].map((one) => (one ? waitedIn(one) : 0)));
    const { where, state, why } = found.process;
    if (where === 'node2') this.left = true;
    if (!this.left || where !== 'node1' || state !== 'running') return;
    this.returns.push(/came home for (\S+)/.exec(why ?? '')?.[1] ?? '');
    this.close();
    await this.home.migrate(this.pid, 'node2').catch(() => undefined);
  }

  private close(): void {
    if (this.present) this.stays.push(this.present);
    this.present = undefined;
    this.left = false;
  }
}

export class Runner {
  /** What one run takes, once that is known. */
  private expected = 0;

  constructor(
    private readonly testbed: Testbed,
    private readonly application: Application,
    private readonly directory: string,
  ) {}

  /** Brings into memory what it reads of its program and its input, and has the other node keep what it keeps of the system's files. */
  async warm(): Promise<void> {
    const { command, env } = this.application;
    for (const away of [[], ['mosrun', '-r', 'node2']])
      await this.testbed.run(1, ['timeout', '3', ...away, ...command], { cwd: this.directory, env: env ?? {} });
  }

  private start(...command: string[]): Running {
    const { env, results } = this.application;
    for (const file of Object.keys(results)) rmSync(path.join(this.directory, file), { force: true });
    return this.testbed.start(1, ['bash', '-c', script, 'bash', ...command], {
      cwd: this.directory,
      env: { LC_ALL: 'C', ...env },
      timeout: 900,
    });
  }

  private async ended(running: Running): Promise<Run> {
    const { status, stdout, stderr } = await running.done;
    // Those of a solver say what it found: sat, or not.
    if (status === null || ![0, 10, 20].includes(status))
      throw new Error(
        `${this.application.name} ended with ${status}: ${stderr}${readFileSync(path.join(this.directory, 'errors'), 'utf8')}`,
      );
    const [begin, end] = [lookOf(stdout, 'begin'), lookOf(stdout, 'end')];
    const more = (index: number): number => (end.counts[index] ?? Number.NaN) - (begin.counts[index] ?? Number.NaN);
    // rchar, wchar, syscr, syscw
    return {
      seconds: end.at - begin.at,
      bytesRead: more(0),
      bytesWritten: more(1),
      calls: more(2) + more(3),
      result: resultOf(this.application, this.directory),
    };
  }

  async plain(): Promise<Run> {
    const run = await this.ended(this.start(...this.application.command));
    this.expected = run.seconds;
    return run;
  }

  async away(): Promise<AwayRun> {
    const running = this.start('mosrun', '-r', 'node2', ...this.application.command);
    await running.says('pid ');
    const { stays, returns, waitedAtFirst, seen } = await new Watch(
      await this.testbed.daemon(1),
      running,
      this.expected,
    ).untilItEnds();
    const run = await this.ended(running);
    if (stays.length === 0) throw new Error(`${this.application.name} was not away`);
    const requests = stays.flatMap(({ calls, ahead }) => [...calls, ahead]);
    return {
      ...run,
      waited: sum(stays.map(waitedIn)),
      waitedAtFirst,
      forwarded: sum(requests.map(({ times }) => times)),
      carried: sum(requests.map(({ bytes }) => bytes)),
      returns,
      unseen: Math.max(0, lookOf(running.stdout, 'end').at - seen),
    };
  }
}
