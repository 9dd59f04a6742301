/**
 * Where a hypervisor takes back what is free (free page reporting of virtio-balloon), memory that is used again has to come from it first: a few
 * hundred MB a second, in which whole processors stand still. That says nothing of what is measured, nor of its floor.
 */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { program } from './nodes.js';

const setting = '/sys/module/page_reporting/parameters/page_reporting_order';
/** Blocks of so many pages, as a power of two, are the smallest that are reported; above the largest that there are, none is. */
const largest = [11, 10];

function set(order: number | string): boolean {
  try {
    writeFileSync(setting, String(order));
    return true;
  } catch {
    return false;
  }
}

/** Touches as much as is free, all but an eighth. */
async function touch(): Promise<void> {
  const free = Number(/^MemAvailable: +(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
  const child = spawn(program('holding'), [String(Math.floor((free / 1024) * 0.875))], { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Keeps what is free from the hypervisor meanwhile, where it would take it; the work is told whether. */
export async function withOwnMemory<T>(work: (isKept: boolean) => Promise<T>): Promise<T> {
  const before = existsSync(setting) ? readFileSync(setting, 'utf8').trim() : null;
  if (before === null || !largest.some(set)) return work(false);
  process.once('exit', () => void set(before));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  try {
    await touch();
    return await work(true);
  } finally {
    set(before);
  }
}
