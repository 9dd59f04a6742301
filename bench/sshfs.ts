/** What one would take instead to have files of node 1 on node 2: sshfs(1), without the encryption of ssh, which it is the faster for. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Testbed, until } from '../test/system/testbed.js';

const server = '/usr/lib/openssh/sftp-server';
const port = '9990';
// One connection after another, each with a server of its own.
const listener = [
  'import os, socket, sys',
  'door = socket.create_server(("", int(sys.argv[1])))',
  'print("ready", flush=True)',
  'while True:',
  '    one = door.accept()[0]',
  '    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)',
  '    if os.fork() == 0:',
  '        door.close(); os.dup2(one.fileno(), 0); os.dup2(one.fileno(), 1)',
  `        os.execv("${server}", ["sftp-server"])`,
  '    one.close()',
].join('\n');

/** Why there can be none here. */
export function whyNoSshfs(): string | undefined {
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  if (!existsSync(server) || spawnSync('sshfs', ['--version']).error)
    return 'sshfs or openssh-sftp-server is not installed: scripts/install-deps --bench';
  return undefined;
}

export class Sshfs {
  private constructor(
    private readonly testbed: Testbed,
    private readonly door: ChildProcess,
    /** Of the machine, the files that are shown. */
    private readonly directory: string,
    /** Where they are seen as from node 2. */
    readonly mount: string,
  ) {}

  static async up(testbed: Testbed, directory: string, cpu: string): Promise<Sshfs> {
    const words = ['-t', `${testbed.node(1).pid}`, '-n', 'taskset', '-c', cpu, 'python3', '-c', listener, port];
    const door = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    door.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until(() => said.startsWith('ready'), 10, 'the door of sftp-server');
    const mount = path.join(directory, 'sshfs');
    mkdirSync(mount);
    return new Sshfs(testbed, door, directory, mount);
  }

  /** Mounts it anew: nothing of it is in any cache. */
  remount(cpu: string): void {
    this.unmount();
    const enter = ['-t', `${this.testbed.node(2).pid}`, '-n', 'taskset', '-c', cpu];
    const words = ['sshfs', '-o', `directport=${port}`, `10.77.0.1:${this.directory}`, this.mount];
    const { status, stderr } = spawnSync('nsenter', [...enter, ...words], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`sshfs: ${stderr}`);
  }

  private unmount(): void {
    spawnSync('fusermount3', ['-u', this.mount]);
  }

  end(): void {
    this.unmount();
    this.door.kill('SIGKILL');
  }
}
