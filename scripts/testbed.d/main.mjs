// Makes, changes and removes testbeds; `run` is in the shell script that calls this.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeGroups } from './cgroups.mjs';
import { cut, heal, isCut, part, lateness, makeSwitch, switchDirectory } from './network.mjs';
import { boot, commands, configure, crash, daemon, killDaemon, runTool, startDaemon } from './nodes.mjs';
import {
  Failure,
  alive,
  gone,
  makeDirectories,
  nodeDirectory,
  readState,
  removeDirectories,
  requireState,
  sleep,
  stateDirectory,
  tool,
  writeState,
} from './state.mjs';

class Usage extends Error {}

const options = {
  name: { type: 'string', default: process.env.MOSRUN_TESTBED ?? 'default' },
  rate: { type: 'string' },
  delay: { type: 'string' },
  cpus: { type: 'string' },
  memory: { type: 'string' },
  cluster: { type: 'string' },
  strangers: { type: 'boolean', default: false },
  priority: { type: 'string', default: '100' },
  json: { type: 'boolean', default: false },
  automatic: { type: 'boolean', default: false },
  'no-daemons': { type: 'boolean', default: false },
  term: { type: 'boolean', default: false },
  from: { type: 'string' },
};

function memoryBytes(text) {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text);
  if (!match) throw new Usage(`--memory wants a size such as 512M or 2GiB, not ${text}`);
  return Math.round(Number(match[1]) * 1024 ** ' KMGT'.indexOf(match[2].toUpperCase() || ' '));
}

function processors(text) {
  if (!(Number(text) > 0)) throw new Usage(`--cpus wants numbers such as 1 or 0.5, not ${text}`);
  return Number(text);
}

// One value for all nodes, or one for each, apart by commas.
function forEach(text, count, read) {
  const parts = text.split(',');
  if (parts.length !== 1 && parts.length !== count) throw new Usage(`${text} has ${parts.length} values for ${count} nodes`);
  return Array.from({ length: count }, (_, index) => read(parts[parts.length === 1 ? 0 : index]));
}

function seconds(text) {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s)$/.exec(text);
  if (!match) throw new Usage(`--delay wants a time such as 500us or 10ms, not ${text}`);
  return Number(match[1]) * { us: 1e-6, ms: 1e-3, s: 1 }[match[2]];
}

function priority(text) {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 65534)
    throw new Usage(`--priority wants a number from 1 to 65534, not ${text}`);
  return Number(text);
}

// "a:2,b:1": the first two nodes are cluster a, the third is cluster b.
function parseClusters(text, count) {
  let next = 1;
  const clusters = text.split(',').map((part) => {
    const match = /^([a-z][a-z0-9-]*):(\d+)$/.exec(part);
    if (!match || match[2] === '0') throw new Usage(`--cluster wants NAME:NODES,... , not ${text}`);
    return { name: match[1], nodes: Array.from({ length: Number(match[2]) }, () => next++) };
  });
  if (next - 1 !== count) throw new Usage(`--cluster ${text} names ${next - 1} nodes, but ${count} are asked for`);
  return clusters;
}

function parseUp(values, words) {
  const count = Number(words[0]);
  if (words.length !== 1 || !Number.isInteger(count) || count < 1 || count > 250)
    throw new Usage('up wants the number of nodes, 1 to 250');
  if (values.rate && !/^\d+(\.\d+)?[kmg]bit$/.test(values.rate))
    throw new Usage(`--rate wants a rate such as 1gbit or 100mbit, not ${values.rate}`);
  return {
    version: 1,
    nodes: Array.from({ length: count }, (_, i) => i + 1),
    clusters: parseClusters(values.cluster ?? `testbed:${count}`, count),
    partners: !values.strangers,
    priority: priority(values.priority),
    automatic: values.automatic,
    daemons: !values['no-daemons'],
    rate: values.rate ?? null,
    delay_seconds: values.delay ? seconds(values.delay) : null,
    cpus: values.cpus ? forEach(values.cpus, count, processors) : null,
    memory_bytes: values.memory ? forEach(values.memory, count, memoryBytes) : null,
  };
}

// The nodes that the daemon of this node does not see up.
function unseen(name, number, expected) {
  const { status, stdout, stderr } = spawnSync(
    tool,
    ['run', '--in', nodeDirectory(name, number), '--', join(commands, 'mosctl'), 'nodes', '--json'],
    { encoding: 'utf8', timeout: 5000 },
  );
  if (status !== 0) return { missing: expected, why: stderr.trim() };
  const up = new Set(
    JSON.parse(stdout)
      .nodes.filter((node) => node.state === 'up')
      .map((node) => node.number),
  );
  return { missing: expected.filter((each) => !up.has(each)), why: '' };
}

async function allSeeAll(name, { clusters, partners, nodes: all }, within = 20) {
  const end = Date.now() + within * 1000;
  for (const { nodes } of clusters) {
    for (const number of nodes) {
      for (;;) {
        const { missing, why } = unseen(name, number, partners ? all : nodes);
        if (missing.length === 0) break;
        if (Date.now() > end) {
          const log = readFileSync(join(nodeDirectory(name, number), 'mosd.log'), 'utf8')
            .split('\n')
            .slice(-40)
            .join('\n');
          throw new Failure(
            `after ${within} s node${number} does not see ${missing.map((each) => `node${each}`).join(', ')}${why ? ` (${why})` : ''}; its log ends:\n${log}`,
          );
        }
        await sleep(100);
      }
    }
  }
}

async function up(name, values, words) {
  const state = parseUp(values, words);
  if (process.getuid() !== 0) throw new Failure('namespaces, mounts and control groups need root: run it as root');
  if (readState(name)) {
    if (alive(join(switchDirectory(name), 'pid')) !== undefined)
      throw new Failure(`a testbed named ${name} is up already: scripts/testbed down --name ${name}, or use another --name`);
    await down(name);
  }
  let interrupted = false;
  const stop = () => {
    if (interrupted) return;
    interrupted = true;
    void down(name).finally(() => process.exit(1));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  try {
    makeDirectories(name);
    writeState(name, state);
    mkdirSync(switchDirectory(name), { recursive: true });
    runTool(
      '--new',
      'pid,net',
      '--record',
      join(switchDirectory(name), 'pid'),
      '--log',
      join(switchDirectory(name), 'log'),
      '--detach',
      '--',
      tool,
      'init',
    );
    makeSwitch(name);
    for (const number of state.nodes) mkdirSync(join(nodeDirectory(name, number), 'etc'), { recursive: true });
    if (state.daemons) configure(name, state);
    for (const number of state.nodes) await boot(name, number, state);
    if (!state.daemons) return;
    for (const number of state.nodes) startDaemon(name, number);
    await allSeeAll(name, state);
  } catch (error) {
    if (interrupted) return;
    await down(name);
    throw error;
  }
}

// A `run` stops when its command does. Whoever let that go on by itself left the run standing, which then waits for no child's end, and the
// namespace around all nodes cannot end before all that was in it has been waited for: pid_namespaces(7).
function continueRuns(name) {
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const isRun = words[0].endsWith('/testbed/tool') && words[1] === 'run' && words[2] === '--in';
      if (isRun && words[3].startsWith(`${stateDirectory(name)}/`)) process.kill(Number(pid), 'SIGCONT');
    } catch {
      // It has ended.
    }
  }
}

async function down(name) {
  const file = join(switchDirectory(name), 'pid');
  const pid = alive(file);
  if (pid !== undefined) {
    process.kill(pid, 'SIGKILL'); // process 1 of the namespace around all nodes: everything ends, mounts and interfaces go with it
    continueRuns(name);
    await gone(file, 30);
  }
  await removeGroups(name);
  removeDirectories(name);
}

function status(name) {
  const state = readState(name);
  const running = state !== undefined && alive(join(switchDirectory(name), 'pid')) !== undefined;
  const nodes = !running
    ? []
    : state.nodes.map((number) => {
        const pid = alive(join(nodeDirectory(name, number), 'pid'));
        const mosd = pid === undefined ? undefined : daemon(name, number);
        return {
          name: `node${number}`,
          number,
          address: `10.77.0.${number}`,
          cluster: state.clusters.find(({ nodes: members }) => members.includes(number)).name,
          state: pid === undefined ? 'crashed' : isCut(name, number) ? 'cut' : 'up',
          pid: pid ?? null,
          mosd_pid: mosd ?? null,
          log: join(nodeDirectory(name, number), 'mosd.log'),
          directory: nodeDirectory(name, number),
          relay_late_seconds: lateness(name, number),
        };
      });
  const { rate = null, delay_seconds = null, cpus = null, memory_bytes = null } = state ?? {};
  return { version: 1, name, up: running, rate, delay_seconds, cpus, memory_bytes, nodes };
}

function print(found) {
  if (!found.up) return console.log(`no testbed named ${found.name} is up`);
  for (const node of found.nodes)
    console.log(
      `${node.name}  ${node.address}  ${node.cluster}  ${node.state}  mosd ${node.mosd_pid ?? 'not running'}  ${node.log}`,
    );
}

// The node a command names, checked against those that the testbed has.
function nodeOf(name, words) {
  const state = requireState(name);
  const number = Number(words[0]?.replace(/^node/, ''));
  if (words.length !== 1 || !state.nodes.includes(number))
    throw new Usage(`the testbed ${name} has the nodes 1 to ${state.nodes.length}, not ${words.join(' ') || 'none'}`);
  return [number, state];
}

async function main() {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [command, ...words] = positionals;
  const { name } = values;
  if (!/^[a-z0-9][a-z0-9_-]{0,30}$/i.test(name))
    throw new Usage(`a testbed's name is made of letters, digits, - and _, not ${name}`);
  switch (command) {
    case 'build':
      return;
    case 'up':
      return up(name, values, words);
    case 'down':
      return down(name);
    case 'status':
      return values.json ? console.log(JSON.stringify(status(name))) : print(status(name));
    case 'cut':
      return void cut(name, nodeOf(name, words)[0]);
    case 'heal':
      return void heal(name, nodeOf(name, words)[0]);
    case 'part':
      return part(
        name,
        words.map((word) => nodeOf(name, [word])[0]),
      );
    case 'kill-daemon':
      return killDaemon(name, nodeOf(name, words)[0], values.term ? 'SIGTERM' : 'SIGKILL');
    case 'start-daemon':
      return startDaemon(name, nodeOf(name, words)[0], values.from);
    case 'crash':
      return crash(name, nodeOf(name, words)[0]);
    case 'boot': {
      const [number, state] = nodeOf(name, words);
      if (alive(join(nodeDirectory(name, number), 'pid')) !== undefined) throw new Failure(`node${number} is up`);
      await boot(name, number, state);
      return state.daemons ? startDaemon(name, number) : undefined;
    }
    default:
      throw new Usage(command ? `there is no command ${command}` : 'a command is missing');
  }
}

main().catch((error) => {
  const usage = error instanceof Usage || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(`testbed: ${usage || error instanceof Failure ? error.message : error.stack}`);
  if (usage) console.error('testbed: scripts/testbed --help shows how it is used');
  process.exitCode = usage ? 2 : 1;
});
