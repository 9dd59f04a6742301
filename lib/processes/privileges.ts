/** What a process may beyond what an ordinary user's program may: a node that hosts it could do all of that at home. */
import { namesIn, readIfThere } from '../shared/files.js';

const numbers = (status: string, key: string): number[] =>
  (new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/).map(Number);

/** @param status of /proc/PID/status; proc(5), credentials(7). In words that follow "it has"; null: nothing. */
export function rightsIn(status: string): string | null {
  const [uids, gids] = [numbers(status, 'Uid'), numbers(status, 'Gid')];
  if (uids.length !== 4 || gids.length !== 4) return 'rights that cannot be found out';
  if (uids.includes(0)) return "root's rights";
  if ([uids, gids].some((ids) => new Set(ids).size > 1))
    return 'rights of another user or group than its own (a set-user-ID or set-group-ID program)';
  const sets = ['CapPrm', 'CapEff'].map((key) => new RegExp(`^${key}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? 'f');
  return sets.some((set) => /[^0]/.test(set)) ? 'capabilities' : null;
}

/** Of all its threads, each of which has credentials of its own; null: nothing beyond an ordinary user's. */
export function privilegesOf(pid: number): string | null {
  for (const tid of namesIn(`/proc/${pid}/task`)) {
    const status = readIfThere(`/proc/${pid}/task/${tid}/status`);
    const rights = status === null ? null : rightsIn(status);
    if (rights !== null) return rights;
  }
  return null;
}
