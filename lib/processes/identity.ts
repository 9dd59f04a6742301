/**
 * State files name a process by boot, pid and start time: a pid alone may be somebody else's by the time the file is read (after a crash of
 * the daemon, or a reboot that kept /run).
 */
import * as z from 'zod';
import { bootId, hasEnded, readFacts } from './proc.js';

export const identity = z.object({
  pid: z.int().positive(),
  start_time: z.string(),
  boot_id: z.string(),
});
export type Identity = z.infer<typeof identity>;

export function identityOf(pid: number): Identity | null {
  const facts = readFacts(pid);
  return facts && !hasEnded(facts) ? { pid, start_time: facts.startTime, boot_id: bootId() } : null;
}

/** Is this process still there, and still the same one? A zombie is not: it has ended. */
export function isPresent(one: Identity): boolean {
  if (one.boot_id !== bootId()) return false;
  return identityOf(one.pid)?.start_time === one.start_time;
}
