/** What the kernel says of processes, whatever mosrun says (all numbers here are the machine's own unless named otherwise). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { type Testbed, tryRead } from './testbed.js';

export interface Times {
  user: number;
  system: number;
}

const tick = 0.01; // sysconf(_SC_CLK_TCK) is 100 on x86_64

/** The numbers a process has in each pid namespace, outermost first (NSpid of /proc/PID/status). */
export const numbers = (pid: number): number[] =>
  (/^NSpid:\s*(.*)$/m.exec(tryRead(`/proc/${pid}/status`))?.[1] ?? '').split(/\s+/).map(Number);

/** The home process that has this number on its node. */
export function homeProcess(testbed: Testbed, node: number, pid: number): number | undefined {
  return testbed.processes(node).find((each) => {
    const all = numbers(each);
    return all.length === 3 && all[2] === pid;
  });
}

/** The guest of the home process with this number: it has the same number, one pid namespace further in. */
export function guestProcess(testbed: Testbed, node: number, pid: number): number | undefined {
  return testbed.processes(node).find((each) => {
    const all = numbers(each);
    return all.length > 3 && all.at(-1) === pid;
  });
}

export function alive(pid: number): boolean {
  const stat = tryRead(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie with more than one thread is a first thread that has ended before the others.
  return stat !== '' && fields[0] !== 'X' && (fields[0] !== 'Z' || Number(fields[17]) > 1);
}

/** What each thread of a process is doing, for the message of a test that waited in vain. */
export function whatItDoes(pid: number): string {
  const own = `${pid} ${tryRead(`/proc/${pid}/comm`).trim()} (numbers ${numbers(pid).join(' ')})`;
  let tasks: string[] = [];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return `${own}: ended`;
  }
  const threads = tasks.map((task) => {
    const at = `/proc/${pid}/task/${task}`;
    const state = /^State:\s*(\S)/m.exec(tryRead(`${at}/status`))?.[1];
    const pending = /^SigPnd:\s*(\S+)/m.exec(tryRead(`${at}/status`))?.[1];
    const mask = /^SigBlk:\s*(\S+)/m.exec(tryRead(`${at}/status`))?.[1];
    return `  ${task} ${state} in ${tryRead(`${at}/wchan`) || '-'} call ${tryRead(`${at}/syscall`).trim()} pending ${pending} blocked ${mask}`;
  });
  return [own, ...threads].join('\n');
}

/** CPU seconds of all threads. */
export function times(pid: number): Times | undefined {
  const stat = tryRead(`/proc/${pid}/stat`);
  if (!stat) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) * tick, system: Number(fields[12]) * tick };
}

/** Bytes of anonymous memory the process really has. */
export const anonymousBytes = (pid: number): number =>
  Number(/^RssAnon:\s*(\d+)/m.exec(tryRead(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;

export const count = (directory: string): number => {
  try {
    return readdirSync(directory).length;
  } catch {
    return 0;
  }
};

export const mappings = (pid: number): string[] => tryRead(`/proc/${pid}/maps`).split('\n').filter(Boolean);

/** Where cgroup v2 is mounted, on pure and hybrid systems alike. */
function unified(): string {
  const line = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find((each) => each.split(' ')[2] === 'cgroup2');
  if (!line) throw new Error('cgroup v2 is not mounted');
  return line.split(' ')[1] as string;
}

/** CPU seconds of everything that ever ran in the group, its dead included; undefined when the group is gone. */
export function groupTimes(group: string): Times | undefined {
  const text = tryRead(path.join(unified(), group, 'cpu.stat'));
  const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]) / 1e6;
  return text === '' ? undefined : { user: value('user_usec'), system: value('system_usec') };
}

export const groupOf = (pid: number): string => /^0::(.*)$/m.exec(tryRead(`/proc/${pid}/cgroup`))?.[1] ?? '';
export const nodeGroup = (testbed: Testbed, node: number): string => `/mosrun-testbed-${testbed.name}/node${node}`;

/** How many processes of the node the kernel has killed for want of memory; by version 1 or 2 of control groups. */
export function killedForMemory(testbed: Testbed, node: number): number {
  const group = nodeGroup(testbed, node);
  const texts = [path.join('/sys/fs/cgroup/memory', group, 'memory.oom_control'), path.join(unified(), group, 'memory.events')];
  return Number(/^oom_kill (\d+)$/m.exec(texts.map(tryRead).join('\n'))?.[1] ?? 0);
}

const groupsBelow = (group: string): string[] => {
  const entries = readdirSync(path.join(unified(), group), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return entries.flatMap((entry) => [path.join(group, entry.name), ...groupsBelow(path.join(group, entry.name))]);
};

const filesBelow = (directory: string): string[] => {
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const name = path.join(directory, entry.name);
    return entry.isDirectory() ? [name, ...filesBelow(name)] : [name];
  });
};

/** Everything of a node that a migration could leave behind; compare two of them with deepStrictEqual. */
export interface Belongings {
  processes: string[];
  tasks: number;
  descriptors: number;
  namespaces: number;
  groups: string[];
  files: string[];
  mounts: number;
  connections: number;
}

/** @param except processes whose own belongings are looked at apart, or that come and go */
export function belongings(testbed: Testbed, node: number, init: number, except: number[] = []): Belongings {
  const processes = testbed.processes(node).filter((pid) => !except.includes(pid) && alive(pid));
  const names = processes.map((pid) => tryRead(`/proc/${pid}/comm`).trim());
  const namespaces = new Set<string>();
  for (const pid of processes) {
    for (const kind of ['user', 'pid', 'mnt', 'net', 'uts', 'ipc', 'time', 'cgroup']) {
      try {
        namespaces.add(readlinkSync(`/proc/${pid}/ns/${kind}`));
      } catch {
        // The process has just ended; its absence shows in the list of names.
      }
    }
  }
  const run = `/proc/${init}/root/run/mosrun`;
  const sockets = tryRead(`/proc/${init}/net/tcp`)
    .split('\n')
    .slice(1)
    .filter((line) => line.split(/\s+/)[4] === '01');
  return {
    processes: names.toSorted(),
    tasks: processes.reduce((sum, pid) => sum + count(`/proc/${pid}/task`), 0),
    descriptors: processes
      .filter((pid) => !/^(mosd|node|MainThread)$/.test(tryRead(`/proc/${pid}/comm`).trim()))
      .reduce((sum, pid) => sum + count(`/proc/${pid}/fd`), 0),
    namespaces: namespaces.size,
    groups: groupsBelow(nodeGroup(testbed, node)),
    files: filesBelow(run)
      // What a guest that has gone has used is kept for its home, for a day and no more than 2,000 of them.
      .filter((name) => !/\/guests\/[0-9a-f]{16}\.json$/.test(name) || !/"ended":\{/.test(tryRead(name)))
      .map((name) => name.slice(run.length))
      // Of the calls that a process waits in at home since it came, as long as it lives.
      .filter((name) => !except.some((pid) => name === `/processes/${numbers(pid).at(-1)}.waits`))
      .toSorted(),
    mounts: tryRead(`/proc/${init}/mounts`).split('\n').length,
    // Control connections between daemons come and go with keep-alive; those of the data port belong to guests.
    connections: sockets.filter((line) => /:1B9F /i.test(line)).length,
  };
}
