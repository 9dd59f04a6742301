/**
 * Where there is no control group to ask, descendants are followed from parent to child, each time somebody asks. A child whose parent
 * ended between two looks is found by its session, as long as that was begun by a member.
 */
import { namesIn, readIfThere } from '../shared/files.js';
import { type Identity, isPresent } from './identity.js';
import { bootId } from './proc.js';

interface Entry {
  pid: number;
  parent: number;
  session: number;
  start_time: string;
}

function everybody(): Entry[] {
  const entries: Entry[] = [];
  for (const name of namesIn('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = readIfThere(`/proc/${name}/stat`);
    if (text === null) continue;
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // 17 fields on from the state: threads. A zombie with more than itself is a first thread that has ended.
    if (fields[0] === 'Z' && Number(fields[17]) <= 1) continue;
    entries.push({ pid: Number(name), parent: Number(fields[1]), session: Number(fields[3]), start_time: fields[19] ?? '0' });
  }
  return entries;
}

export class Ancestry {
  /** The members that are left, and all that have come from them, but not from those that went their own way. */
  follow(members: readonly Identity[], natives: readonly Identity[] = []): Identity[] {
    const apart = new Set(natives.filter(isPresent).map((one) => one.pid));
    const known = new Map(members.filter((one) => isPresent(one) && !apart.has(one.pid)).map((one) => [one.pid, one]));
    const led = new Set(members.map((one) => one.pid));
    const entries = everybody();
    for (let before = -1; before !== known.size; ) {
      before = known.size;
      for (const entry of entries) {
        if (known.has(entry.pid) || apart.has(entry.pid)) continue;
        const orphan = entry.parent === 1 && led.has(entry.session);
        if (known.has(entry.parent) || orphan) {
          known.set(entry.pid, { pid: entry.pid, start_time: entry.start_time, boot_id: bootId() });
        }
      }
    }
    return [...known.values()].sort((one, other) => one.pid - other.pid);
  }
}
