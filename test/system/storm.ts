/** Moves programs about and gathers what came of it. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { anonymousBytes, groupOf, groupTimes, guestProcess, homeProcess, nodeGroup, times, type Times } from './kernel.js';
import { type Outcome, type Running, sleep, type Testbed, repository, until } from './testbed.js';

export interface Move {
  pid: number;
  from: string;
  to: string;
  freeze_seconds: number;
  total_seconds: number;
  bytes: number;
  saved_bytes: number;
  live: boolean;
  /** Why it was not, if that is known. */
  stood: string | null;
  seconds: number;
}

export interface FailedMove {
  pid: number;
  to: string;
  code: string | null;
  message: string;
}

export interface StormOptions {
  /** Ends the storm after so many moves; without it the storm lasts as long as the program. */
  moves?: number;
  /** How long to stay away and at home, each a least and a most in seconds. */
  away?: [number, number];
  home?: [number, number];
  seed?: number;
  /** A second node: the program goes from one to the other and back before it comes home. */
  on?: string;
  /** Whether descendants are moved too. */
  tree?: boolean;
}

/** A storm under way. */
export class Storm {
  readonly moves: Move[] = [];
  readonly failures: FailedMove[] = [];
  private readonly running: Running;
  private rest = '';

  constructor(
    testbed: Testbed,
    pid: number,
    { moves, away = [0.3, 0.7], home = [0, 0.003], seed = 1, on, tree = true }: StormOptions = {},
  ) {
    const api = path.join(repository, 'dist/lib/api/index.js');
    const order = JSON.stringify({ pid, to: 'node2', away, home, moves: moves ?? null, seed, on, tree, api });
    this.running = testbed.start(1, ['node', path.join(repository, 'test/system/storm-worker.mjs'), order]);
    this.running.child.stdout?.on('data', (text: string) => this.take(text));
  }

  private take(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const said = JSON.parse(line) as { event: string };
      if (said.event === 'move') this.moves.push(said as unknown as Move);
      if (said.event === 'failed') this.failures.push(said as unknown as FailedMove);
    }
  }

  /** What went wrong, short enough to read; empty when all went well. */
  get trouble(): string[] {
    return this.troubleBut([]);
  }

  /** @param refusals what may be answered. */
  troubleBut(refusals: readonly string[]): string[] {
    const told = this.failures
      .filter(({ message }) => !refusals.some((reason) => message.includes(reason)))
      .map(({ pid, to, code, message }) => `${pid} to ${to}: ${code}: ${message}`);
    return told.length > 3 ? [...told.slice(0, 3), `and ${told.length - 3} more`] : told;
  }

  async end(seconds: number): Promise<void> {
    const outcome = await this.running.within(seconds);
    if (!outcome) {
      this.running.kill('SIGKILL');
      throw new Error(`the storm did not end within ${seconds} s, after ${this.moves.length} moves`);
    }
    if (outcome.status !== 0) throw new Error(`the storm ended with ${outcome.status}: ${outcome.stderr}`);
  }

  stop(): void {
    this.running.kill('SIGKILL');
  }
}

/** The processes of the node as its daemon tells mosps of them. */
export interface Listed {
  pid: number;
  command: string;
  user: string;
  home: string;
  where: string;
  state: string;
  migrations: number;
  last_freeze_seconds: number | null;
  why: string | null;
  job: string | null;
}

export async function listed(testbed: Testbed, node = 1): Promise<Listed[]> {
  return (await testbed.daemon(node)).processes();
}

/** The number (on its node) of the first process of a job that was started with `mosrun -J ID`. */
export async function pidOfJob(testbed: Testbed, id: string, node = 1): Promise<number> {
  const all = await until(
    async () => {
      const found = (await listed(testbed, node)).filter(({ job }) => job === id);
      return found.length > 0 ? found : undefined;
    },
    10,
    `a process of job ${id} in mosps`,
  );
  return Math.min(...all.map(({ pid }) => pid));
}

/** The number (on its node) of the only process under mosrun whose command holds the text. */
export async function pidOf(testbed: Testbed, text: string, node = 1): Promise<number> {
  const found = await until(
    async () => (await listed(testbed, node)).find(({ command }) => command.includes(text)),
    10,
    `a process "${text}" in mosps`,
  );
  return found.pid;
}

/** Everything a run leaves that another run of the same program must leave too. */
export interface Trace {
  status: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  files: Record<string, string>;
}

function filesOf(directory: string, prefix = ''): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(directory).toSorted()) {
    const at = path.join(directory, entry);
    const stat = lstatSync(at);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) Object.assign(files, { [`${prefix}${entry}/`]: mode }, filesOf(at, `${prefix}${entry}/`));
    else if (stat.isSymbolicLink()) files[prefix + entry] = `link to ${readlinkSync(at)}`;
    else files[prefix + entry] = `${mode} ${stat.size} ${createHash('sha256').update(readFileSync(at)).digest('hex')}`;
  }
  return files;
}

/** One directory that every run of a program finds empty under the same name, since names get into outputs. */
export class Workplace {
  readonly directory = path.join(mkdtempSync('/tmp/mosrun-test-'), 'work');

  empty(): string {
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { mode: 0o777 });
    return this.directory;
  }

  trace({ status, signal, stdout, stderr }: Outcome): Trace {
    return { status, signal, stdout, stderr, files: filesOf(this.directory) };
  }

  remove(): void {
    rmSync(path.dirname(this.directory), { recursive: true, force: true });
  }
}

const zero: Times = { user: 0, system: 0 };
const less = (a: Times, b: Times): Times => ({ user: a.user - b.user, system: a.system - b.system });

/**
 * Where the CPU time of a job went, by the kernel's own books: its control group at home, and the hosting node's group without the
 * daemon and the gate, which are no part of the program.
 */
export class CpuShare {
  private home: Times = zero;
  private host: Times = zero;
  private homeStart: Times | undefined;
  private hostStart: Times | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly testbed: Testbed,
    private readonly group: string,
    private readonly helpers: number[],
  ) {
    this.timer = setInterval(() => this.sample(), 100);
  }

  private hostTimes(): Times {
    let sum = groupTimes(nodeGroup(this.testbed, 2)) ?? zero;
    for (const pid of this.helpers) sum = less(sum, times(pid) ?? zero);
    return sum;
  }

  private sample(): void {
    // Once the job is over its group goes away; what was read last stands.
    this.home = groupTimes(this.group) ?? this.home;
    this.host = this.hostTimes();
  }

  /** The first move is done: count from here. */
  begin(): void {
    this.sample();
    this.homeStart = this.home;
    this.hostStart = this.host;
  }

  end(): { away: Times; home: Times } {
    clearInterval(this.timer);
    this.host = this.hostTimes();
    const away = less(this.host, this.hostStart ?? this.host);
    const home = less(this.home, this.homeStart ?? this.home);
    return { away, home };
  }
}

/** While the process is away and computing: the kernel's proof, taken over the given time. */
export interface Proof {
  homeUser: number;
  homeAnonymousBytes: number;
  guestUser: number;
}

export async function proveAway(testbed: Testbed, pid: number, seconds: number): Promise<Proof> {
  const home = homeProcess(testbed, 1, pid);
  const guest = guestProcess(testbed, 2, pid);
  if (!home) throw new Error(`process ${pid} is not on node1`);
  if (!guest) throw new Error(`node2 has no guest of process ${pid}`);
  const [homeBefore, guestBefore] = [times(home), times(guest)];
  await sleep(seconds);
  const [homeAfter, guestAfter] = [times(home), times(guest)];
  if (!homeBefore || !homeAfter || !guestBefore || !guestAfter) throw new Error(`process ${pid} ended while it was watched`);
  return {
    homeUser: homeAfter.user - homeBefore.user,
    homeAnonymousBytes: anonymousBytes(home),
    guestUser: guestAfter.user - guestBefore.user,
  };
}

export const jobGroup = (testbed: Testbed, pid: number): string => {
  const home = homeProcess(testbed, 1, pid);
  if (!home) throw new Error(`process ${pid} is not on node1`);
  return groupOf(home);
};
