// Where a testbed keeps what it knows: /run/mosrun-testbed/NAME, one directory for each node in it.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
export const repository = dirname(dirname(here));
export const tool = join(repository, 'build/testbed/tool');
const base = '/run/mosrun-testbed';

// Mount points that node 1 covers with its own; where the machine lacks them they are made, and taken away with the last testbed.
const covered = ['/etc/mosrun', '/run/mosrun', '/var/lib/mosrun'];
const made = join(base, 'made-directories');

export class Failure extends Error {}

export const stateDirectory = (name) => join(base, name);
export const nodeDirectory = (name, number) => join(base, name, `node${number}`);

export function writeState(name, state) {
  writeFileSync(join(stateDirectory(name), 'testbed.json'), JSON.stringify(state, null, 1) + '\n');
}

// The testbed's options as `up` was given them, or undefined when there is none of that name.
export function readState(name) {
  const file = join(stateDirectory(name), 'testbed.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

export function requireState(name) {
  const state = readState(name);
  if (!state) throw new Failure(`no testbed named ${name} is up: start it with scripts/testbed up N --name ${name}`);
  return state;
}

// The process recorded in the file as "PID START", if it still lives; start times keep a reused number from being taken for it.
export function alive(file) {
  if (!existsSync(file)) return undefined;
  const [pid, start] = readFileSync(file, 'utf8').trim().split(' ');
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[19] === start && fields[0] !== 'Z' ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

export async function gone(file, seconds = 10) {
  for (const end = Date.now() + seconds * 1000; alive(file) !== undefined; await sleep(5)) {
    if (Date.now() > end) throw new Failure(`process ${readFileSync(file, 'utf8').split(' ')[0]} does not end`);
  }
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function makeDirectories(name) {
  mkdirSync(stateDirectory(name), { recursive: true });
  const missing = covered.filter((path) => !existsSync(path));
  for (const path of missing) mkdirSync(path, { recursive: true });
  if (missing.length > 0) writeFileSync(made, missing.join('\n') + '\n', { flag: 'a' });
}

// Removing a mount point also takes it from under another testbed that covers it (rmdir(2) unmounts in other mount namespaces since
// Linux 3.18), so only the last one clears it.
export function removeDirectories(name) {
  rmSync(stateDirectory(name), { recursive: true, force: true });
  if (!existsSync(base) || readdirSync(base).some((entry) => entry !== 'made-directories')) return;
  const paths = existsSync(made) ? readFileSync(made, 'utf8').trim().split('\n') : [];
  for (const path of new Set(paths)) {
    try {
      rmdirSync(path);
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
    }
  }
  rmSync(base, { recursive: true, force: true });
}
