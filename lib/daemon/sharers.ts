/** Who shares the pages of system files that this node keeps for guests. */
import { createHash } from 'node:crypto';
import type { SessionRequest } from '../shared/wire.js';

/**
 * Whoever shares them may write anything there: so they are one user's of one home, and nothing of them is for a process with rights beyond that user's.
 * @returns 16 hex digits, equal for those that share; null: it shares with nobody.
 */
export function sharersOf({ home, uid, privileged }: Pick<SessionRequest, 'home' | 'uid' | 'privileged'>): string | null {
  if (privileged !== null && uid !== 0) return null;
  return createHash('sha256').update(`${home} ${uid}`).digest('hex').slice(0, 16);
}
