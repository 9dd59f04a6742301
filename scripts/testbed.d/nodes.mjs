// A node: its root, its process 1, its daemon.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  lstatSync,
  rmSync,
  writeFileSync,
  closeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { makeGroups } from './cgroups.mjs';
import { plug, switchDirectory } from './network.mjs';
import { Failure, alive, gone, here, nodeDirectory, repository, sleep, tool } from './state.mjs';

const dist = join(repository, 'dist');
export const commands = join(dist, 'bin');
const devices = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty'];

function isElf(file) {
  const head = Buffer.alloc(4);
  const fd = openSync(file, 'r');
  readSync(fd, head, 0, 4, 0);
  closeSync(fd);
  return head.toString('latin1') === '\x7fELF';
}

// Not of the packages: they hold copies of the others, and are made anew at any time.
function files(directory) {
  if (!existsSync(directory) || directory === join(dist, 'packages')) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? files(path) : entry.isFile() ? [path] : [];
  });
}

// What ldd(1) names: the libraries and the loader, empty for a static program.
function libraries(file) {
  const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]);
}

// What a node other than the first sees of the machine: node, what the build made, and the libraries of both. One line each for
// make-root.sh. Directories that are links on the machine (/lib, /lib64) are links there too.
function manifest() {
  const needed = new Set([process.execPath]);
  for (const file of [process.execPath, ...files(dist).filter(isElf)]) for (const library of libraries(file)) needed.add(library);
  const lines = ['/lib', '/lib64']
    .filter((path) => existsSync(path) && lstatSync(path).isSymbolicLink())
    .map((path) => `link ${path}`);
  for (const path of ['/lib', '/lib64'].filter((one) => existsSync(one) && lstatSync(one).isSymbolicLink())) {
    lines.unshift(`directory ${readlinkSync(path).startsWith('/') ? readlinkSync(path) : join('/', readlinkSync(path))}`);
  }
  if (existsSync(dist)) lines.push(`tree ${dist}`);
  for (const path of needed) lines.push(`file ${path}`);
  lines.push('directory /dev', ...devices.filter((path) => existsSync(path)).map((path) => `device ${path}`));
  return lines.join('\n') + '\n';
}

export function runTool(...words) {
  const { status, error } = spawnSync(tool, ['run', ...words], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error || status !== 0)
    throw new Failure(`cannot start ${words[words.indexOf('--') + 1]}${error ? `: ${error.message}` : ''}`);
}

// Makes the node's namespaces and root, and plugs it in. Its daemon is started apart.
export async function boot(name, number, options) {
  const directory = nodeDirectory(name, number);
  for (const each of ['root', 'etc', 'lib', 'commands/dist']) mkdirSync(join(directory, each), { recursive: true });
  writeFileSync(join(directory, 'commands/node'), '', { flag: 'a' });
  for (const each of ['pid', 'ready', 'mosd.pid', 'mosgate.pid']) rmSync(join(directory, each), { force: true });
  makeGroups(name, number, options);
  writeFileSync(join(directory, 'manifest'), manifest());
  const log = join(directory, 'boot.log');
  runTool(
    '--in',
    switchDirectory(name),
    '--keep-root',
    '--new',
    'pid,net,mount,uts,ipc,cgroup',
    '--cgroups',
    join(directory, 'cgroups'),
    '--record',
    join(directory, 'pid'),
    '--log',
    log,
    '--detach',
    '--',
    '/bin/sh',
    join(here, 'make-root.sh'),
    `${number}`,
    directory,
    tool,
    dist,
    process.execPath,
  );
  for (const end = Date.now() + 10000; !existsSync(join(directory, 'ready')); await sleep(10)) {
    if (alive(join(directory, 'pid')) === undefined || Date.now() > end)
      throw new Failure(`node${number} does not start: ${readFileSync(log, 'utf8')}`);
  }
  await plug(name, number, options);
}

// The node's pid 1 dies, and the kernel kills all the others with it: a power cut.
export async function crash(name, number) {
  const file = join(nodeDirectory(name, number), 'pid');
  const pid = alive(file);
  if (pid === undefined) throw new Failure(`node${number} is down already`);
  process.kill(pid, 'SIGKILL');
  await gone(file);
  const relay = join(nodeDirectory(name, number), 'relay.pid');
  if (alive(relay) === undefined) return;
  process.kill(alive(relay), 'SIGKILL');
  await gone(relay);
}

const daemonFile = (name, number) => join(nodeDirectory(name, number), 'mosd.pid');
export const daemon = (name, number) => alive(daemonFile(name, number));

export function startDaemon(name, number, from = commands) {
  if (daemon(name, number) !== undefined) throw new Failure(`the daemon of node${number} is running already`);
  const directory = nodeDirectory(name, number);
  const mosd = join(from, 'mosd');
  // Another one may be where only the node sees it.
  if (from === commands && !existsSync(mosd)) throw new Failure(`${mosd} is missing: npm run build`);
  process.env.PATH = `${commands}:${dirname(process.execPath)}:${process.env.PATH}`;
  runTool(
    '--in',
    directory,
    '--cgroups',
    join(directory, 'cgroups'),
    '--record',
    daemonFile(name, number),
    '--log',
    join(directory, 'mosd.log'),
    '--detach',
    '--',
    mosd,
  );
}

export async function killDaemon(name, number, signal) {
  const pid = daemon(name, number);
  if (pid === undefined) throw new Failure(`no daemon runs on node${number} that the testbed started`);
  process.kill(pid, signal);
  await gone(daemonFile(name, number));
}

function mosconf(...words) {
  try {
    execFileSync(join(commands, 'mosconf'), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Failure(`mosconf ${words.join(' ')}: ${error.stderr?.trim() || error.message}`);
  }
}

// Certificates and configuration of every node, made as an administrator would: all on the first node, then copied to the others.
// Tests and people that order moves themselves do not want others: placement is by order alone unless asked for.
export function configure(name, { clusters, automatic, partners, priority }) {
  const etc = (number) => join(nodeDirectory(name, number), 'etc');
  for (const { name: cluster, nodes } of clusters) {
    const [first, ...others] = nodes;
    const identity = (number) => ['--number', `${number}`, '--address', `10.77.0.${number}`, '--directory', etc(first)];
    mosconf('init', '--cluster', cluster, '--node', `node${first}`, ...identity(first));
    for (const number of others) mosconf('add', `node${number}`, ...identity(number));
    for (const number of others) cpSync(join(etc(first), 'nodes', `node${number}`), etc(number), { recursive: true });
    if (automatic) continue;
    for (const number of nodes) appendFileSync(join(etc(number), 'mosrun.toml'), '\n[placement]\nautomatic = false\n');
  }
  if (!partners) return;
  // Each cluster exports what the others have to know, and each of their nodes takes it.
  for (const { name: cluster, nodes } of clusters) {
    const exported = join(etc(nodes[0]), 'export.toml');
    mosconf('partner', 'export', '--output', exported, '--directory', etc(nodes[0]));
    for (const other of clusters.filter((one) => one.name !== cluster))
      for (const number of other.nodes)
        mosconf('partner', 'add', cluster, exported, '--priority', `${priority}`, '--no-start', '--directory', etc(number));
    rmSync(exported);
  }
}
