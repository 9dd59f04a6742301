/** Who may order a process about: whoever may kill it; kill(2). */
import type { PeerCredentials } from '../engine/index.js';
import { type ProcessUids, readUids } from '../processes/index.js';
import { MosrunError } from '../shared/errors.js';

/** The sender's effective uid must be the target's real or saved one. (Its real uid counts for kill(2) too; a socket shows the effective.) */
export function mayKill(sender: Pick<PeerCredentials, 'uid'>, target: ProcessUids): boolean {
  return sender.uid === 0 || sender.uid === target.real || sender.uid === target.saved;
}

/** Throws when the peer may not, or when there is no such process. */
export function checkMayKill(sender: PeerCredentials, pid: number): void {
  const target = readUids(pid);
  if (!target) throw new MosrunError('not-found', `there is no process ${pid}: see mosps`);
  if (!mayKill(sender, target)) {
    throw new MosrunError('not-permitted', `process ${pid} belongs to somebody else: only its owner or root may move it`);
  }
}
