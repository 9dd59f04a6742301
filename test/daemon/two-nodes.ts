/** Two daemons on one machine, with fixtures in the engine's place: for what the decision plane does, not for moving anything. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  appendFileSync,
  openSync,
  closeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const source = process.env.MOSRUN_SOURCE ?? process.cwd();
export const bin = (name: string): string => path.join(source, 'dist/bin', name);

export interface Result {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (status, signal) => {
      resolve({ status, signal, stdout, stderr });
    });
  });
}

export async function until<T>(what: string, look: () => Promise<T | null | false> | T | null | false, seconds = 10): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(30);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => {
        resolve(port);
      });
    });
  });
}

export class TwoNodes {
  private readonly daemons = new Map<number, ChildProcess>();
  readonly children: ChildProcess[] = [];

  private constructor(readonly directory: string) {}

  static async up(extra = ''): Promise<TwoNodes> {
    const two = new TwoNodes(mkdtempSync(path.join(tmpdir(), 'mosrun-test-')));
    // Other users' commands go there too, and are there: those users may not go where the source is.
    chmodSync(two.directory, 0o755);
    cpSync(path.join(source, 'dist/bin'), path.join(two.directory, 'bin'), { recursive: true });
    const libexec = path.join(two.directory, 'libexec');
    mkdirSync(libexec);
    symlinkSync(path.join(source, 'test/fixtures/fake-mover.mjs'), path.join(libexec, 'mosmove'));
    symlinkSync(path.join(source, 'test/fixtures/fake-gate.mjs'), path.join(libexec, 'mosgate'));
    symlinkSync(path.join(source, 'dist/libexec/mosrun.node'), path.join(libexec, 'mosrun.node'));
    const etc = path.join(two.directory, 'etc');
    const ports = async (): Promise<string[]> => ['--control-port', `${await freePort()}`, '--data-port', `${await freePort()}`];
    const address = ['--address', '127.0.0.1', '--directory', etc];
    await two.expect('mosconf', [
      'init',
      '--cluster',
      'test',
      '--node',
      'node1',
      '--number',
      '1',
      ...address,
      ...(await ports()),
    ]);
    await two.expect('mosconf', ['add', 'node2', '--number', '2', ...address, ...(await ports())]);
    for (const number of [1, 2]) {
      const paths = `\n[placement]\nautomatic = false\n[paths]\nruntime = "${two.runtime(number)}"\nstate = "${two.directory}/state${number}"\nlibexec = "${libexec}"\n${extra}`;
      appendFileSync(two.configuration(number), paths);
      two.start(number);
    }
    await two.bothUp();
    return two;
  }

  private bin(name: string): string {
    return path.join(this.directory, 'bin', name);
  }

  runtime(number: number): string {
    return path.join(this.directory, `run${number}`);
  }

  configuration(number: number): string {
    return path.join(this.directory, number === 1 ? 'etc' : 'etc/nodes/node2', 'mosrun.toml');
  }

  environment(number: number): NodeJS.ProcessEnv {
    const runtime = this.runtime(number);
    const ownPath = `${path.join(this.directory, 'bin')}:${process.env.PATH}`;
    return {
      ...process.env,
      PATH: ownPath,
      MOSRUN_SOCKET: `${runtime}/mosd.sock`,
      MOSRUN_LAUNCH_SOCKET: `${runtime}/launch.sock`,
    };
  }

  start(number: number, environment: NodeJS.ProcessEnv = {}): void {
    const log = openSync(path.join(this.directory, `log${number}`), 'a');
    const child = spawn(this.bin('mosd'), ['--config', this.configuration(number)], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    this.daemons.set(number, child);
  }

  log(number: number): string {
    return readFileSync(path.join(this.directory, `log${number}`), 'utf8');
  }

  /** Ends a daemon and waits until it is gone. */
  async end(number: number, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.daemons.get(number);
    if (!child) return null;
    this.daemons.delete(number);
    const ended = new Promise<number | null>((resolve) => {
      child.once('exit', resolve);
    });
    child.kill(signal);
    return child.exitCode ?? ended;
  }

  reload(number: number): void {
    this.daemons.get(number)?.kill('SIGHUP');
  }

  async bothUp(): Promise<void> {
    for (const number of [1, 2]) {
      await until(`node${number} sees both up\n${this.log(number)}`, async () => {
        const { status, stdout } = await this.call('mosctl', ['nodes', '--json'], number);
        if (status !== 0) return false;
        const { nodes } = JSON.parse(stdout) as { nodes: { state: string }[] };
        return nodes.length === 2 && nodes.every((node) => node.state === 'up');
      });
    }
  }

  call(command: string, args: readonly string[], number = 1, options: SpawnOptions = {}): Promise<Result> {
    return run(this.bin(command), args, { env: this.environment(number), ...options });
  }

  async expect(command: string, args: readonly string[], number = 1): Promise<string> {
    const result = await this.call(command, args, number);
    if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: status ${result.status}: ${result.stderr}`);
    return result.stdout;
  }

  async json<T>(command: string, args: readonly string[], number = 1): Promise<T> {
    return JSON.parse(await this.expect(command, [...args, '--json'], number)) as T;
  }

  /** Starts a program under mosrun; it has the child's pid, since mosrun execs in its own place. */
  async launch(args: readonly string[], number = 1, options: SpawnOptions = {}): Promise<ChildProcess & { pid: number }> {
    const child = spawn(this.bin('mosrun'), args, {
      env: this.environment(number),
      stdio: 'ignore',
      ...options,
    });
    this.children.push(child);
    await until(`${args.join(' ')} runs`, async () => {
      const { processes } = await this.json<{ processes: { pid: number; command: string }[] }>('mosps', [], number);
      const found = processes.find((one) => one.pid === child.pid);
      return found && !found.command.startsWith(this.bin('mosrun')) ? found : null;
    });
    return child as ChildProcess & { pid: number };
  }

  behave(number: number, how: 'done' | 'refuse' | 'crash' | 'slow' | 'hang'): void {
    writeFileSync(path.join(this.runtime(number), 'behaviour'), how);
  }

  filesIn(number: number, name: string): string[] {
    return readdirSync(path.join(this.runtime(number), name));
  }

  async down(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    // A daemon that ends takes the groups of ended jobs away: these must have ended by then.
    const ended = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
    await until('its programs to end', () => [...this.children].every(ended));
    for (const number of [1, 2]) {
      await this.end(number, 'SIGTERM');
      await run(process.execPath, [
        '-e',
        `const s=require('node:net').connect(${JSON.stringify(path.join(this.runtime(number), 'gate.sock'))});s.on('error',()=>{});s.end('quit\\n')`,
      ]);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
