// Each node has a group of its own in cgroup v2 (wherever that is mounted) and in the v1 controllers that limit or count CPU and memory.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, nodeDirectory, sleep } from './state.mjs';

const counted = ['cpu', 'cpuacct', 'memory', 'cpuset'];

// The hierarchies a node takes part in: {at, type, options, controllers}.
function hierarchies() {
  const found = [];
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, at, type, options = ''] = line.split(' ');
    if (found.some((one) => one.at === at)) continue;
    if (type === 'cgroup2') found.push({ at, type, options: 'rw', controllers: [] });
    if (type !== 'cgroup') continue;
    const controllers = options.split(',').filter((word) => counted.includes(word));
    if (controllers.length > 0 && !controllers.includes('cpuset'))
      found.push({ at, type, options: controllers.join(','), controllers });
  }
  return found;
}

const group = (at, name, number) => join(at, `mosrun-testbed-${name}`, ...(number === undefined ? [] : [`node${number}`]));

function write(file, text, what) {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new Failure(`cannot ${what}: ${file}: ${error.message}`);
  }
}

function limit(all, name, number, limits) {
  const cpus = limits.cpus?.[number - 1];
  const memory = limits.memory_bytes?.[number - 1];
  const v1 = (controller) => all.find((one) => one.controllers.includes(controller));
  const v2 = all.find((one) => one.type === 'cgroup2');
  const period = 100000;
  const set = (controller, v1File, v1Text, v2File, v2Text) => {
    const old = v1(controller);
    if (old) return write(join(group(old.at, name, number), v1File), v1Text, `limit ${controller}`);
    if (!v2) throw new Failure(`cannot limit ${controller}: no cgroup hierarchy is mounted`);
    for (const at of [v2.at, group(v2.at, name)])
      write(join(at, 'cgroup.subtree_control'), `+${controller}`, `limit ${controller}`);
    write(join(group(v2.at, name, number), v2File), v2Text, `limit ${controller}`);
  };
  if (cpus) set('cpu', 'cpu.cfs_quota_us', `${Math.round(cpus * period)}`, 'cpu.max', `${Math.round(cpus * period)} ${period}`);
  if (memory) set('memory', 'memory.limit_in_bytes', `${memory}`, 'memory.max', `${memory}`);
}

// Makes the node's groups and leaves two lists in its directory: what to join, and what to mount inside.
export function makeGroups(name, number, limits) {
  const all = hierarchies();
  for (const { at } of all) mkdirSync(group(at, name, number), { recursive: true });
  limit(all, name, number, limits);
  const directory = nodeDirectory(name, number);
  writeFileSync(join(directory, 'cgroups'), all.map(({ at }) => join(group(at, name, number), 'cgroup.procs') + '\n').join(''));
  writeFileSync(join(directory, 'cgroup-mounts'), all.map(({ at, type, options }) => `${at} ${type} ${options}\n`).join(''));
}

function removeTree(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  rmdirSync(directory);
}

// A group empties a moment after its last process has died.
export async function removeGroups(name) {
  for (const { at } of hierarchies()) {
    const top = group(at, name);
    for (let tries = 0; existsSync(top); ++tries) {
      try {
        removeTree(top);
      } catch (error) {
        if (error.code === 'ENOENT') break;
        if (tries === 100) throw new Failure(`cannot remove ${top}: ${error.message}`);
        await sleep(50);
      }
    }
  }
}
