/**
 * Runs behaviours on the home-node, one after another, and moves them where they let themselves be moved. Inside the node: its standard input is a
 * line of JSON for each run (`Run`), its output one for each that is done (`Ran`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../lib/api/index.js';
import type { Failure, Mode, Ran, Run } from './runs.js';

const [api = ''] = process.argv.slice(2);
const { Cluster: connected } = (await import(api)) as { Cluster: typeof Cluster };
const cluster = await connected.connect();
const AWAY = ['node2', 'node3'];

/** One process of a behaviour, and where it was left. */
interface Mover {
  place: string;
  moving: Promise<void> | undefined;
}

/** The moves of one run. */
class Moves {
  count = 0;
  points = 0;
  /** Calls at which an order was under way when the call was made, and done before the next. */
  during = 0;
  readonly failures: Failure[] = [];
  private readonly movers = new Map<number, Mover>();
  private state: number;

  constructor(
    private readonly mode: Mode,
    seed: number,
    private readonly start: string,
  ) {
    this.state = seed * 7919 + 1;
  }

  private random(): number {
    this.state = (this.state * 48271) % 2147483647;
    return this.state / 2147483647;
  }

  /** Settles when the process may make its call. */
  async at(pid: number, point: string): Promise<void> {
    this.points++;
    if (this.mode === 'plain') return;
    const mover = this.movers.get(pid) ?? { place: this.start, moving: undefined };
    this.movers.set(pid, mover);
    await mover.moving;
    const chance = this.random();
    if (this.mode === 'before' || (this.mode === 'random' && chance < 0.35)) await this.move(pid, mover, point);
    if (this.mode === 'during' || (this.mode === 'random' && chance >= 0.35 && chance < 0.75)) {
      const pause = this.random() < 0.4 ? 0 : this.random() * 10;
      mover.moving = sleep(pause).then(async () => {
        if (await this.move(pid, mover, point)) this.during++;
      });
    }
  }

  async settled(): Promise<void> {
    for (const { moving } of this.movers.values()) await moving;
  }

  private destination(place: string): string {
    if (this.mode !== 'random') return place === 'home' ? 'node2' : 'home';
    const others = ['home', ...AWAY].filter((each) => each !== place);
    return others[Math.floor(this.random() * others.length)] ?? 'home';
  }

  private async move(pid: number, mover: Mover, point: string): Promise<boolean> {
    let to = this.destination(mover.place);
    // It may have come home by itself: then the move out is the one to be made. One that is just coming is waited for.
    for (let tries = 0; tries < 5; tries++) {
      try {
        const { moved } = await cluster.migrate(pid, to);
        mover.place = to;
        if (moved) {
          this.count++;
          return true;
        }
        to = 'node2';
      } catch (error) {
        const { code = null, message } = error as { code?: string; message: string };
        if (code === 'not-found' && to === 'home') {
          mover.place = 'home';
          to = 'node2';
          continue;
        }
        if (code === 'busy' && tries < 4) {
          await sleep(30);
          continue;
        }
        if (code !== 'not-found') this.failures.push({ code, message, point });
        return false;
      }
    }
    return false;
  }
}

let runs = 0;
async function run({ program, directory, mode, away, seed, seconds, options }: Run): Promise<Ran> {
  const control = `${directory}.${process.pid}-${++runs}`;
  const moves = new Moves(mode, seed, away ? 'node2' : 'home');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setEncoding('utf8').on('error', () => socket.destroy());
    let rest = '';
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [pid = '', ...point] = line.split(' ');
        void moves.at(Number(pid), point.join(' ')).then(() => socket.writable && socket.write('.'));
      }
    });
  });
  await once(server.listen(control), 'listening');
  const words = mode === 'plain' ? [program] : ['mosrun', ...(away ? ['-r', 'node2'] : []), ...options, program];
  const began = performance.now();
  const child = spawn(words[0] ?? '', words.slice(1), {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, LANG: 'C.UTF-8', LAB_CONTROL: control },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('latin1').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('latin1').on('data', (text: string) => (output.stderr += text));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy();
  }, seconds * 1000);
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  await Promise.race([moves.settled(), sleep(5000)]);
  for (const socket of sockets) socket.destroy();
  server.close();
  rmSync(control, { force: true });
  const { count, points, during, failures } = moves;
  return { status, signal, ...output, late, moves: count, points, during, failures, seconds: (performance.now() - began) / 1000 };
}

for await (const line of createInterface({ input: process.stdin })) {
  const ran = await run(JSON.parse(line) as Run);
  process.stdout.write(`${JSON.stringify(ran)}\n`);
}
process.exit(0);
