/** Two nodes, or more, and the programs of the benchmarks on them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { guestProcess, homeProcess } from '../test/system/kernel.js';
import { Testbed, repository, tryRead, until } from '../test/system/testbed.js';

export const program = (name: string): string => path.join(repository, 'build/bench/programs', name);

export interface Moved {
  freeze_seconds: number;
  total_seconds: number;
  bytes: number;
  phases: { phase: string; seconds: number }[];
}

/** A program of bench/programs that takes orders, and ends with its input. */
export class Worker {
  /** Its number on its node. */
  number = 0;
  private readonly lines: AsyncIterator<string>;
  private said = '';

  constructor(
    protected readonly testbed: Testbed,
    private readonly node: number,
    private readonly child: ChildProcess,
  ) {
    if (!child.stdout || !child.stderr) throw new Error('a worker needs pipes');
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.said += text));
  }

  async ready(): Promise<this> {
    this.number = Number((await this.line()).split(' ')[1]);
    return this;
  }

  async line(seconds = 60): Promise<string> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), seconds * 1000);
    const { value, done } = await this.lines.next();
    clearTimeout(timer);
    if (done) throw new Error(`a program of the benchmark ended, or said nothing for ${seconds} s: ${this.said}`);
    return value;
  }

  /** The number it answers. */
  async order(text: string): Promise<number> {
    this.child.stdin?.write(`${text}\n`);
    return Number(await this.line());
  }

  /** Its number on the machine. */
  get process(): number {
    return exists(homeProcess(this.testbed, this.node, this.number), `process ${this.number} on node${this.node}`);
  }

  pin(cpu: string): void {
    pin(this.process, cpu);
  }

  async end(): Promise<void> {
    this.child.stdin?.end();
    this.child.kill('SIGTERM');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
  }
}

/** A worker under mosrun, whose home is node 1. */
export class Traveller extends Worker {
  migrate(to: 'node2' | 'node3' | 'home'): Promise<Moved> {
    return this.testbed.json<Moved>(1, 'migrate', String(this.number), to, '--wait', '--json');
  }

  /** Bytes a second, from the connection to the first instruction on the other side. */
  async carry(to: 'node2' | 'home'): Promise<number> {
    const { bytes, phases } = await this.migrate(to);
    return bytes / secondsOf(phases, to);
  }

  /** The seconds that took. */
  async carried(to: 'node2' | 'home'): Promise<number> {
    return secondsOf((await this.migrate(to)).phases, to);
  }

  get guest(): number {
    return exists(guestProcess(this.testbed, 2, this.number), `guest of process ${this.number}`);
  }

  pinGuest(cpu: string): void {
    pin(this.guest, cpu);
  }
}

function secondsOf(phases: Moved['phases'], to: 'node2' | 'home'): number {
  const at = (wanted: string) => phases.find(({ phase }) => phase === wanted)?.seconds ?? 0;
  return to === 'home' ? at('home') : at('running') - at('connected');
}

/** The bare network between the nodes. */
export class Wire {
  constructor(
    readonly server: Worker,
    readonly client: Worker,
  ) {}

  /** Seconds for a request and a reply of so many bytes, the mean of so many exchanges. */
  exchange(request: number, reply: number, count: number): Promise<number> {
    return this.client.order(`exchange ${request} ${reply} ${count}`);
  }

  /** Seconds for so many bytes into memory that was never touched. */
  send(bytes: number): Promise<number> {
    return this.client.order(`send ${bytes}`);
  }

  async end(): Promise<void> {
    await this.client.end();
    await this.server.end();
  }
}

function exists(pid: number | undefined, what: string): number {
  if (pid === undefined) throw new Error(`there is no ${what}`);
  return pid;
}

function pin(pid: number, cpu: string): void {
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', cpu, String(pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset: ${stderr}`);
}

export class Nodes {
  private port = 9000;

  private constructor(readonly testbed: Testbed) {}

  static async up(count: number, options: readonly string[] = []): Promise<Nodes> {
    const testbed = await Testbed.up(count, ...options);
    // Node 2 has nothing of the machine; what measures the bare network must be taken there.
    copyFileSync(program('wire'), `/proc/${testbed.node(2).pid}/root/tmp/wire`);
    return new Nodes(testbed);
  }

  down(): Promise<void> {
    return this.testbed.down();
  }

  private spawn(node: number, command: string[]): ChildProcess {
    const script = path.join(repository, 'scripts/testbed');
    return spawn(script, ['run', String(node), '--name', this.testbed.name, '--', ...command], { cwd: '/tmp' });
  }

  /** A program as it is. */
  plain(node: number, ...command: string[]): Promise<Worker> {
    return new Worker(this.testbed, node, this.spawn(node, command)).ready();
  }

  /** A program that is on no node, but has the machine's own files, on one processor. */
  beside(cpu: string, ...command: string[]): Promise<Worker> {
    return new Worker(this.testbed, 0, spawn('taskset', ['-c', cpu, ...command], { cwd: '/tmp' })).ready();
  }

  /** A program under mosrun, still at home. */
  atHome(...command: string[]): Promise<Traveller> {
    return new Traveller(this.testbed, 1, this.spawn(1, ['mosrun', ...command])).ready();
  }

  /** A program under mosrun, on node 2. */
  async away(...command: string[]): Promise<Traveller> {
    const traveller = await this.atHome(...command);
    await traveller.migrate('node2');
    return traveller;
  }

  /** Whether what goes away from now on is encrypted. */
  encrypt(wanted: boolean): Promise<void> {
    return this.configure(1, `[security]\nencrypt = ${wanted}\n`);
  }

  /** Gives a node one more section of its configuration, in the place of one that it was given so. */
  async configure(node: 1 | 2, section: string): Promise<void> {
    const { directory, mosd_pid: mosd } = this.testbed.node(node);
    const file = path.join(directory, 'etc/mosrun.toml');
    const [text = ''] = readFileSync(file, 'utf8').split(`\n${section.split('\n')[0]}`);
    const times = () => this.testbed.log(node, 1e6).split('configuration read again').length;
    const before = times();
    writeFileSync(file, `${text}\n${section}`);
    process.kill(mosd ?? 0, 'SIGHUP');
    await until(() => times() > before, 5, `node${node} to read its configuration`);
  }

  /** Where the mosseal of each node runs. */
  async pinSeals(...cpus: string[]): Promise<void> {
    for (const [index, cpu] of cpus.entries()) {
      const helpers = await this.testbed.helpers(index + 1);
      for (const pid of helpers.filter((one) => tryRead(`/proc/${one}/comm`) === 'mosseal\n')) pin(pid, cpu);
    }
  }

  /** @param asking the node of the side that sends requests, as a guest does from node 2 */
  async wire(asking: 1 | 2): Promise<Wire> {
    const port = String(this.port++);
    const at = (node: number) => (node === 1 ? program('wire') : '/tmp/wire');
    const serving = 3 - asking;
    const server = await this.plain(serving, at(serving), 'serve', port);
    const client = await this.plain(asking, at(asking), 'ask', `10.77.0.${serving}`, port);
    return new Wire(server, client);
  }
}
