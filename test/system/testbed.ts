/** A testbed for a test file: made before its tests, removed after them whatever happens. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'smol-toml';
import { Cluster } from '../../lib/api/index.js';

export const repository = process.env['MOSRUN_SOURCE'] ?? process.cwd();
const script = path.join(repository, 'scripts/testbed');
const base = '/run/mosrun-testbed';

export interface Outcome {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

export interface RunOptions {
  user?: string;
  input?: string;
  /** Its standard input stays open, for more. */
  talks?: boolean;
  cwd?: string;
  env?: Record<string, string>;
  /** After so many seconds the command is killed, and the outcome is that of the kill. */
  timeout?: number;
}

export interface NodeState {
  /** Of its process 1, as the machine has it; 0: it has crashed. */
  pid: number;
  mosd_pid: number | null;
  directory: string;
}

/** A command that runs on a node while the test goes on. */
export class Running {
  readonly done: Promise<Outcome>;
  stdout = '';
  stderr = '';
  ended = false;

  constructor(readonly child: ChildProcess) {
    const began = performance.now();
    child.stdout?.setEncoding('latin1').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('latin1').on('data', (text: string) => (this.stderr += text));
    this.done = once(child, 'close').then(([status, signal]) => {
      this.ended = true;
      return { status, signal, stdout: this.stdout, stderr: this.stderr, seconds: (performance.now() - began) / 1000 };
    });
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.child.kill(signal);
  }

  /** How it ended; undefined if it has not within the time. */
  within(seconds: number): Promise<Outcome | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((done) => {
      timer = setTimeout(() => done(undefined), seconds * 1000);
    });
    return Promise.race([this.done, late]).finally(() => clearTimeout(timer));
  }

  /** Waits until the program has printed the text. */
  async says(text: string, seconds = 20): Promise<void> {
    await until(() => this.stdout.includes(text) || this.ended, seconds, `"${text}" on standard output`);
    if (!this.stdout.includes(text)) throw new Error(`the program ended without saying "${text}":\n${this.stdout}${this.stderr}`);
  }
}

export const sleep = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));

/** Looks until it finds. What takes long to look at is looked at less often: it would keep the machine from what is waited for. */
export async function until<T>(probe: () => T | Promise<T>, seconds: number, what: string): Promise<NonNullable<T>> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const began = performance.now();
    const found = await probe();
    if (found) return found;
    const now = performance.now();
    if (now > end) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(Math.min(0.1, Math.max(0.01, (4 * (now - began)) / 1000)));
  }
}

/** A figure for whoever reads the tests' output. */
export const note = (text: string): void => console.log(`      ${text}`);

/** Why a testbed cannot be made on this machine; undefined where it can. */
export function whyNoTestbed(): string | undefined {
  if (process.getuid?.() !== 0) return 'the testbed needs root';
  const words = ['--net', '--pid', '--fork', '--mount', '--uts', '--ipc', '--cgroup', 'true'];
  const { status, stderr, error } = spawnSync('unshare', words, { encoding: 'utf8' });
  if (error) return `unshare(1): ${error.message}`;
  return status === 0 ? undefined : `this machine makes no namespaces: ${stderr.trim()}`;
}

/** What the testbed has recorded as "PID START", if it still lives; 0: it does not. */
function recorded(file: string): number {
  const [pid = '', start] = tryRead(file).trim().split(' ');
  const stat = pid && tryRead(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return stat !== '' && fields[19] === start && fields[0] !== 'Z' ? Number(pid) : 0;
}

/** Takes away what tests left that were killed so that nothing of theirs could run. */
function sweep(): void {
  const names = existsSync(base) ? readdirSync(base) : [];
  for (const name of names) {
    const owner = /^test-(\d+)-/.exec(name)?.[1];
    if (owner && !existsSync(`/proc/${owner}`)) spawnSync(script, ['down', '--name', name], { stdio: 'ignore' });
  }
}

export class Testbed {
  private readonly daemons = new Map<string, Cluster>();

  private constructor(readonly name: string) {}

  static async up(nodes: number, ...options: string[]): Promise<Testbed> {
    sweep();
    const testbed = new Testbed(`test-${process.pid}-${Math.random().toString(36).slice(2, 6)}`);
    process.once('exit', () => testbed.downAtOnce());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
    const { status, stderr } = await testbed.control('up', String(nodes), ...options);
    if (status !== 0) throw new Error(`testbed up ${nodes} failed:\n${stderr}`);
    return testbed;
  }

  async down(): Promise<void> {
    const { status, stderr } = await this.control('down');
    if (status !== 0) throw new Error(`testbed down failed:\n${stderr}`);
  }

  private downAtOnce(): void {
    if (existsSync(`${base}/${this.name}`)) spawnSync(script, ['down', '--name', this.name], { stdio: 'ignore' });
  }

  /** A command of scripts/testbed itself: cut, heal, crash, kill-daemon, ... */
  control(command: string, ...words: string[]): Promise<Outcome> {
    const child = spawn(script, [command, ...words, '--name', this.name], { stdio: ['ignore', 'pipe', 'pipe'] });
    return new Running(child).done;
  }

  start(node: number, command: string[], { user, input, talks = false, cwd, env, timeout }: RunOptions = {}): Running {
    const words = ['run', String(node), '--name', this.name, ...(user ? ['--user', user] : []), '--', ...command];
    const stdin = input === undefined && !talks ? 'ignore' : 'pipe';
    const child = spawn(script, words, { stdio: [stdin, 'pipe', 'pipe'], cwd: cwd ?? '/tmp', env: { ...process.env, ...env } });
    if (input !== undefined) child.stdin?.end(input);
    const running = new Running(child);
    if (timeout !== undefined) {
      const timer = setTimeout(() => running.kill('SIGKILL'), timeout * 1000);
      void running.done.then(() => clearTimeout(timer));
    }
    return running;
  }

  run(node: number, command: string[], options: RunOptions = {}): Promise<Outcome> {
    return this.start(node, command, { timeout: 60, ...options }).done;
  }

  /** Sends a signal, with the shell's own kill: the command of that name comes with procps, which not every machine has. */
  kill(node: number, pid: number, signal: 'TERM' | 'KILL' | 'STOP' | 'CONT' = 'TERM'): Promise<Outcome> {
    return this.run(node, ['sh', '-c', `kill -${signal} ${pid}`]);
  }

  /** The JSON document a command prints; its failure is an error. */
  async json<T>(node: number, ...command: string[]): Promise<T> {
    const { status, stdout, stderr } = await this.run(node, command);
    if (status !== 0) throw new Error(`${command.join(' ')} on node${node} ended with ${status}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  node(number: number): NodeState {
    const directory = `${base}/${this.name}/node${number}`;
    if (!existsSync(directory)) throw new Error(`the testbed has no node ${number}`);
    return { pid: recorded(`${directory}/pid`), mosd_pid: recorded(`${directory}/mosd.pid`) || null, directory };
  }

  /**
   * A node's daemon, asked from here; rejects where none answers. What is looked at again and again is asked so: a command that is started for each
   * look takes the time of what is looked at.
   */
  async daemon(node: number): Promise<Cluster> {
    const socket = `/proc/${this.node(node).pid}/root/run/mosrun/mosd.sock`;
    const known = this.daemons.get(socket) ?? (await Cluster.connect({ socket }));
    this.daemons.set(socket, known);
    return known;
  }

  /** Does its daemon answer, and can guests come? */
  async isWhole(node: number): Promise<boolean> {
    try {
      return (await (await this.daemon(node)).status()).data_port.ok;
    } catch {
      return false;
    }
  }

  /** Waits for the node's daemon, and for its gate. */
  async comes(node: number, seconds = 10): Promise<void> {
    await until(() => this.isWhole(node), seconds, `the daemon of node${node} and its gate`).catch((error: Error) => {
      throw new Error(`${error.message}; its log ends:\n${this.log(node)}`);
    });
  }

  /** Are all nodes up that the node knows? */
  async seesAll(node: number): Promise<boolean> {
    try {
      return (await (await this.daemon(node)).nodes()).every(({ state }) => state === 'up');
    } catch {
      return false;
    }
  }

  /** Has a node's daemon read its configuration, which may be a wrong one. */
  async reload(node: number): Promise<void> {
    const read = () => this.log(node, Number.POSITIVE_INFINITY).split(/configuration read again|wrong configuration/).length;
    const before = read();
    const { mosd_pid: pid } = this.node(node);
    if (pid === null) throw new Error(`node${node} has no daemon`);
    process.kill(pid, 'SIGHUP');
    await until(() => read() > before, 10, `node${node} to read its configuration`);
  }

  /** Changes tables of a node's mosrun.toml, and has its daemon read it. */
  async configure(node: number, tables: object): Promise<void> {
    const file = path.join(this.node(node).directory, 'etc/mosrun.toml');
    const present = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, stringify({ ...present, ...tables }));
    await this.reload(node);
  }

  /** The last lines of a node's daemon log, for messages of failed tests. */
  log(node: number, lines = 30): string {
    const file = `${base}/${this.name}/node${node}/mosd.log`;
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-lines).join('\n') : '';
  }

  /** Ends whatever a test left on the node: all but process 1, the daemon and mosrun's own helpers. */
  async killStrays(number: number): Promise<void> {
    const { pid: init, mosd_pid: mosd } = this.node(number);
    for (const pid of this.processes(number)) {
      if (pid === init || pid === mosd || /^mos(d|gate|move|husk|seal|freeze)/.test(tryRead(`/proc/${pid}/comm`))) continue;
      killIfAlive(pid);
    }
  }

  /** The daemon of a node and what helps it, whose CPU time is no program's. */
  async helpers(number: number): Promise<number[]> {
    const { pid: init, mosd_pid: mosd } = this.node(number);
    return this.processes(number).filter(
      (pid) => pid === init || pid === mosd || /^mos(gate|seal)\n/.test(tryRead(`/proc/${pid}/comm`)),
    );
  }

  /** Numbers, as the machine has them, of all processes in the node's control group: those of its guests too. */
  processes(node: number): number[] {
    const group = `/mosrun-testbed-${this.name}/node${node}`;
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .filter((pid) => {
        const groups = tryRead(`/proc/${pid}/cgroup`);
        return groups.split('\n').some((line) => line.endsWith(group) || line.includes(`${group}/`));
      });
  }
}

export function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The file's text, or nothing if it (or its process) is gone. */
export function tryRead(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
