/** Programs that know what is to stand in their memory, and moves of them. */
import assert from 'node:assert/strict';
import { compiled, type Program } from './programs.js';
import { pidOf, Storm, type Workplace } from './storm.js';
import { note, type Testbed, until } from './testbed.js';

export const churn: Program = compiled('churn');
export const dirtying: Program = compiled('dirtying', 'bench/programs');

export interface Done {
  freeze_seconds: number;
  total_seconds: number;
  bytes: number;
  saved_bytes: number;
}

/** A move of process `pid` of node 1. */
export async function moveOn(testbed: Testbed, pid: number, to: string): Promise<Done> {
  const { status, stderr, stdout } = await testbed.run(1, ['migrate', String(pid), to, '--wait', '--json']);
  assert.equal(status, 0, stderr + stdout);
  return JSON.parse(stdout) as Done;
}

/** Threads and children change all there is to a process's memory while it is copied. */
export async function churns(testbed: Testbed, workplace: Workplace, moves: number, ...options: string[]): Promise<void> {
  churn.make?.();
  const running = testbed.start(1, ['mosrun', ...options, ...churn.command], { cwd: workplace.empty(), timeout: 280 });
  await running.says('ready');
  const pid = await pidOf(testbed, churn.command.join(' '));
  const storm = new Storm(testbed, pid, { moves, away: [0, 0.1], on: 'node3', tree: false });
  await storm.end(250);
  const saved = storm.moves.filter(({ saved_bytes: bytes }) => bytes > 0).length;
  note(`${storm.moves.length} moves${saved > 0 ? `, ${saved} of them compressed` : ''}`);
  assert.deepEqual(storm.trouble, []);
  await testbed.kill(1, pid);
  const { status, stdout, stderr } = await running.done;
  assert.deepEqual([status, stdout, stderr], [0, 'ready\nall pages are as they were written\n', '']);
}

/**
 * One whose memory is watched by itself: it says how many of its pages are not as they are to be.
 * @param amounts MiB of it, and of pages that it changes in a second
 */
export async function dirty(testbed: Testbed, workplace: Workplace, amounts: [number, number], ...options: string[]) {
  dirtying.make?.();
  const words = [...dirtying.command, ...amounts.map(String)];
  const running = testbed.start(1, ['mosrun', ...options, ...words], { cwd: workplace.empty(), timeout: 110 });
  await running.says('ready');
  const pid = await pidOf(testbed, words.join(' '));
  const look = async (when: string): Promise<void> => {
    const before = running.stdout.length;
    await testbed.run(1, ['kill', '-USR1', String(pid)]);
    await until(() => running.stdout.slice(before).endsWith('\n'), 30, 'the program to look at its memory');
    assert.match(running.stdout.slice(before), / 0\n$/, when);
  };
  const end = async (): Promise<void> => {
    await testbed.kill(1, pid, 'KILL');
    await running.done;
  };
  return { pid, look, end };
}

const bearing = [
  'import hashlib, os, signal, sys, time',
  'going = True',
  'def end(*_):',
  '    global going',
  '    going = False',
  'signal.signal(signal.SIGTERM, end)',
  'memory = bytearray(os.urandom(96 << 20)); kept = hashlib.md5(memory).digest(); wrong = born = 0',
  'print("ready", flush=True)',
  'while going:',
  '    child = os.fork()',
  '    if not child: os._exit(hashlib.md5(memory).digest() != kept)',
  '    born += 1; wrong += os.waitpid(child, 0)[1] != 0',
  '    at = born * 4096 % len(memory); memory[at:at + 8] = os.urandom(8); kept = hashlib.md5(memory).digest()',
  'print("none was wrong" if born and not wrong else f"{wrong} of {born} were wrong")',
].join('\n');

/** A program that has children all the time, each of which looks at all the memory it got. */
export async function bears(testbed: Testbed, workplace: Workplace, ...options: string[]): Promise<void> {
  const words = ['mosrun', ...options, 'python3', '-c', bearing];
  const running = testbed.start(1, words, { cwd: workplace.empty(), timeout: 110 });
  await running.says('ready');
  const pid = await pidOf(testbed, 'python3 -c');
  for (const to of ['node2', 'home', 'node2', 'node3', 'home', 'node2', 'home']) await moveOn(testbed, pid, to);
  await testbed.kill(1, pid);
  const { status, stdout, stderr } = await running.done;
  assert.deepEqual([status, stdout, stderr], [0, 'ready\nnone was wrong\n', '']);
}
