/**
 * Movers: one mosmove process carries out one migration. It is started detached and writes its JSON lines to a file, not a pipe, so that a
 * mosd that died and came back reads what it missed.
 */
import { spawn } from 'node:child_process';
import { type FSWatcher, closeSync, openSync, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import type { Unserved } from '../shared/documents.js';
import { MosrunError, errorFrom, systemCode } from '../shared/errors.js';
import { namesIn, readIfThere } from '../shared/files.js';

export interface OutOrder {
  kind: 'out';
  pid: number;
  node: string;
  session: string;
  token: string;
  address: string;
  port: number;
  /** Number of the mosseal that all channels go over; 0: they are not encrypted. */
  seal: number;
  /** Move it at the first instruction of the program it is about to exec. */
  atExec: boolean;
  /** It goes only if it has no rights beyond those of an ordinary user's program. */
  ordinary: boolean;
  clock: 'home' | 'host';
  /** What becomes of a call that cannot be served away. */
  unserved: Unserved;
  /** Files are read ahead of it. */
  read_ahead: boolean;
  write_behind: boolean;
  /** It stays awake for answers that come at once. */
  awake: boolean;
  /** It goes at once, and its memory follows as it is touched. */
  lazy: boolean;
  /** Memory that goes ahead of it, from now on until it is home, is compressed where that pays. */
  compress: boolean;
  /** What it leaves at home stays there as long as nothing else needs the room. */
  keep: boolean;
  timeoutSeconds: number;
}

/** How a process is to fare away. */
export type Conduct = Pick<OutOrder, 'clock' | 'unserved' | 'read_ahead' | 'write_behind' | 'awake' | 'lazy'>;

/** From the node that hosts it to another. */
export interface OnOrder
  extends Omit<
    OutOrder,
    'kind' | 'atExec' | 'ordinary' | 'unserved' | 'read_ahead' | 'write_behind' | 'awake' | 'lazy' | 'compress' | 'keep'
  > {
  kind: 'on';
  /** Number of the channel between the two nodes, over which the memory goes. */
  memory: number;
}

/** What the node that hosts a guest needs to open that channel. */
export interface LinkOrder {
  /** The guest's session, and its process number as it sees it. */
  guest: string;
  pid: number;
  /** The session at the next node, and the key for its memory channel. */
  session: string;
  key: string;
  address: string;
  port: number;
  memory: number;
  /** Several channels under that number are opened. */
  large: boolean;
  /** As in OutOrder. */
  seal: number;
  gateSocket: string;
  timeoutSeconds: number;
}

export interface HomeOrder {
  kind: 'home';
  pid: number;
  reason: string;
  timeoutSeconds: number;
}

export type MoveOrder = OutOrder | OnOrder | HomeOrder;

export interface MoveDone {
  event: 'done';
  pid: number;
  from: string;
  to: string;
  freeze_seconds: number;
  total_seconds: number;
  bytes: number;
  pages: number;
  /** Bytes that were not sent, since others were compressed. */
  saved?: number;
  threads: number;
  /** How often it sent what had changed while the process ran; 0: all of it went as it stood, and `stood` may say why. */
  rounds?: number;
  stood?: string | null;
  /** Bytes a second that the process changed meanwhile; 0: not measured. */
  dirty_rate?: number;
}
export interface MoveFailed {
  event: 'failed';
  code: string;
  message: string;
}
export type MoveEvent =
  | { event: 'armed' }
  | { event: 'linked' }
  | { event: 'phase'; phase: string; at: number }
  | MoveDone
  | MoveFailed;

/** The engine as the decision plane sees it; tests and the simulator put their own in its place. */
export interface Engine {
  /** Starts a mover whose lines go to `output`; gives its pid. */
  startMover(order: MoveOrder, output: string): Promise<number>;
  /** Follows a mover's lines, from the first; ends with done or failed, also when the mover died without saying so. */
  followMover(moverPid: number, output: string, onEvent: (event: MoveEvent) => void): Promise<MoveDone | MoveFailed>;
  /** Takes what a move left out of a process that is at home again; false: something in it still needs that, try later. */
  clean(pid: number): Promise<boolean>;
  /** The mover at work on this process, whoever started it; null when there is none. */
  findMover(pid: number): number | null;
  explain(pid: number): Promise<{ movable: boolean; reasons: string[] } | null>;
  /** Opens the channel from a guest of this node to the node it is to move on to; rejects with the reason. */
  link(order: LinkOrder): Promise<void>;
}

const gateArguments = ({ session, address, port, seal }: Pick<OutOrder, 'session' | 'address' | 'port' | 'seal'>): string[] => [
  '--session',
  session,
  '--address',
  address,
  '--port',
  `${port}`,
  ...(seal === 0 ? [] : ['--seal', `${seal}`]),
];

function moverArguments(order: MoveOrder, stateDirectory: string): string[] {
  const common = ['--pid', `${order.pid}`, '--timeout', order.timeoutSeconds.toFixed(1), '--state-dir', stateDirectory];
  if (order.kind === 'home') return ['home', ...common, '--reason', order.reason];
  const where = ['--node', order.node, ...gateArguments(order)];
  if (order.kind === 'on') return ['on', ...common, ...where, '--clock', order.clock, '--memory', `${order.memory}`];
  return [
    'out',
    ...common,
    ...where,
    '--clock',
    order.clock,
    '--unserved',
    order.unserved,
    ...(order.read_ahead ? [] : ['--no-read-ahead']),
    ...(order.write_behind ? [] : ['--no-write-behind']),
    ...(order.awake ? [] : ['--no-awake']),
    ...(order.lazy ? ['--lazy'] : []),
    ...(order.compress ? [] : ['--no-packing']),
    ...(order.keep ? [] : ['--no-keeping']),
    ...(order.atExec ? ['--at-exec'] : []),
    ...(order.ordinary ? ['--ordinary'] : []),
  ];
}

const linkArguments = (order: LinkOrder): string[] => {
  const whose = ['--pid', `${order.pid}`, '--guest', order.guest, '--gate', order.gateSocket];
  const which = ['--memory', `${order.memory}`, ...(order.large ? ['--large'] : [])];
  return ['link', ...whose, ...gateArguments(order), ...which, '--timeout', order.timeoutSeconds.toFixed(1)];
};

export function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** By its command line; mosd may have died before it wrote down the number of the mover it had started. */
function findMover(pid: number): number | null {
  for (const name of namesIn('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = (readIfThere(`/proc/${name}/cmdline`) ?? '').split('\0');
    const verb = words[words.findIndex((word) => path.basename(word) === 'mosmove') + 1] ?? '';
    if (['out', 'on', 'home'].includes(verb) && words[words.indexOf('--pid') + 1] === `${pid}`) return Number(name);
  }
  return null;
}

function parseLine(line: string): MoveEvent | null {
  try {
    const event = JSON.parse(line) as MoveEvent;
    return typeof event === 'object' && event !== null && typeof event.event === 'string' ? event : null;
  } catch {
    return null;
  }
}

const cannotRun = (program: string, error: Error): MosrunError =>
  new MosrunError('failed', `${program} cannot be run (${error.message}): install mosrun again on this node`);

/** @param stateDirectory where movers keep one file for each process that is away. */
export function processEngine(libexec: string, stateDirectory: string): Engine {
  const program = path.join(libexec, 'mosmove');
  // Our own children: their end is an event, and until it has been seen kill(2) still finds their zombie.
  const children = new Map<number, Promise<void>>();

  return {
    startMover(order, output) {
      const descriptor = openSync(output, 'w', 0o600);
      return new Promise((resolve, reject) => {
        const child = spawn(program, moverArguments(order, stateDirectory), {
          detached: true,
          stdio: ['pipe', descriptor, descriptor],
          cwd: '/',
        });
        closeSync(descriptor);
        child.once('error', (error) => {
          reject(cannotRun(program, error));
        });
        child.once('spawn', () => {
          const pid = child.pid ?? 0;
          children.set(
            pid,
            new Promise((ended) => {
              child.once('exit', () => {
                children.delete(pid);
                ended();
              });
            }),
          );
          child.unref();
          // A mover that died at once has closed its input: its exit says so, not this write.
          child.stdin?.on('error', () => {});
          child.stdin?.end(order.kind === 'home' ? '' : `${order.token}\n`);
          resolve(pid);
        });
      });
    },

    followMover(moverPid, output, onEvent) {
      return new Promise((resolve) => {
        let seen = 0;
        let last = '';
        let watcher: FSWatcher | null = null;
        let poll: NodeJS.Timeout | null = null;
        let finished = false;

        const finish = (result: MoveDone | MoveFailed): void => {
          finished = true;
          watcher?.close();
          if (poll) clearInterval(poll);
          resolve(result);
        };
        const read = (): void => {
          if (finished) return;
          let text: string;
          try {
            text = readFileSync(output, 'utf8');
          } catch {
            return;
          }
          const lines = text.split('\n');
          // The last piece is empty, or a line that is still being written.
          for (const line of lines.slice(seen, -1)) {
            seen++;
            const event = parseLine(line);
            if (!event) {
              if (line.trim() !== '') last = line.trim();
              continue;
            }
            onEvent(event);
            if (event.event === 'done' || event.event === 'failed') {
              finish(event);
              return;
            }
          }
        };
        const ended = (): void => {
          read();
          if (!finished) {
            finish({
              event: 'failed',
              code: 'failed',
              message: `the mover ended without a result${last ? ` (${last})` : ''}: order it again`,
            });
          }
        };

        try {
          watcher = watch(output, { persistent: false }, read);
          watcher.on('error', () => {});
        } catch {
          // No inotify instance left: the poll below is enough.
        }
        const child = children.get(moverPid);
        if (child) {
          void child.then(ended);
          poll = setInterval(read, 200);
        } else {
          poll = setInterval(() => {
            if (isAlive(moverPid)) read();
            else ended();
          }, 50);
        }
        poll.unref();
        read();
      });
    },

    findMover,

    clean(pid) {
      return new Promise((resolve) => {
        // Never killed for being slow: it may be in the middle of a change to the process. Its tries are bounded.
        const words = ['clean', '--pid', `${pid}`, '--state-dir', stateDirectory];
        const child = spawn(program, words, { detached: true, stdio: 'ignore', cwd: '/' });
        child.once('error', () => {
          resolve(false);
        });
        child.once('exit', (status) => {
          resolve(status === 0);
        });
        child.unref();
      });
    },

    link(order) {
      return new Promise((resolve, reject) => {
        const child = spawn(program, linkArguments(order), {
          stdio: ['pipe', 'pipe', 'ignore'],
          timeout: order.timeoutSeconds * 3000,
        });
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (more: string) => {
          text += more;
        });
        child.stdin.on('error', () => {});
        child.stdin.end(`${order.key}\n`);
        child.once('error', (error) => {
          reject(cannotRun(program, error));
        });
        child.once('close', () => {
          const event = parseLine(text.split('\n')[0] ?? '');
          if (event?.event === 'linked') resolve();
          else if (event?.event === 'failed') reject(errorFrom(event.code, event.message));
          else reject(new MosrunError('failed', 'the channel to the next node was not opened: see the log of mosd'));
        });
      });
    },

    explain(pid) {
      return new Promise((resolve) => {
        const child = spawn(program, ['explain', '--pid', `${pid}`], { stdio: ['ignore', 'pipe', 'ignore'], timeout: 3000 });
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (more: string) => {
          text += more;
        });
        child.once('error', () => {
          resolve(null);
        });
        child.once('close', () => {
          try {
            const { movable, reasons } = JSON.parse(text) as { movable: boolean; reasons: string[] };
            resolve({ movable, reasons });
          } catch {
            resolve(null);
          }
        });
      });
    },
  };
}
