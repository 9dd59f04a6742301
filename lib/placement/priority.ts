/** Which guests make way for whom: a priority is that of a process's home cluster, lower is better. */

/** A guest as far as that counts. */
export interface Visitor {
  session: string;
  priority: number;
  memoryBytes: number;
  /** When it came; any clock. */
  opened: number;
}

/** What is missing for one that is to come. */
export interface Shortage {
  guests: number;
  /** Guests of other clusters. */
  abroad: number;
  memoryBytes: number;
}

/** Worst first; of one priority the one that came last, which has least to lose. */
const worstFirst = (one: Visitor, other: Visitor): number => other.priority - one.priority || other.opened - one.opened;

/** Those that leave because a better process is here. @param best of all priorities that are here, guests' and own. */
export const outranked = (visitors: readonly Visitor[], best: number): Visitor[] =>
  visitors.filter(({ priority }) => priority > best).sort(worstFirst);

/**
 * Those that leave so that one of a priority finds room, and no more of them than it takes.
 * @returns none when all that are worse would not be enough: then none of them is disturbed.
 */
export function makeRoom(visitors: readonly Visitor[], priority: number, shortage: Shortage): Visitor[] {
  const leaving: Visitor[] = [];
  const missing = { ...shortage };
  const isEnough = (): boolean => missing.guests <= 0 && missing.abroad <= 0 && missing.memoryBytes <= 0;
  for (const visitor of outranked(visitors, priority)) {
    if (isEnough()) break;
    leaving.push(visitor);
    missing.guests--;
    // Those that are worse than anybody are not of the own cluster.
    missing.abroad--;
    missing.memoryBytes -= visitor.memoryBytes;
  }
  return isEnough() ? leaving : [];
}
