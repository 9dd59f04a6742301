/** Who asks, and who may order a process about: whoever may kill it; kill(2). */
import type { PeerCredentials } from '../engine/index.js';
import { type ProcessUids, readUids } from '../processes/index.js';
import { MosrunError } from '../shared/errors.js';
import type { Permission } from '../shared/routes.js';

/** Who makes a request: a user of this node, or a tool with a certificate of the cluster. */
export interface Caller {
  /** For the log, and for the reason kept with what was ordered. */
  name: string;
  /** null: no user of this node. */
  uid: number | null;
  /** May do what root may. */
  operates: boolean;
  /** May know of everybody's processes what their owners may. */
  seesAll: boolean;
}

export const localCaller = ({ uid }: Pick<PeerCredentials, 'uid'>): Caller => ({
  name: `uid ${uid}`,
  uid,
  operates: uid === 0,
  seesAll: uid === 0,
});

/** The sender's effective uid must be the target's real or saved one. (Its real uid counts for kill(2) too; a socket shows the effective.) */
export function mayKill(sender: Pick<Caller, 'uid' | 'operates'>, target: ProcessUids): boolean {
  return sender.operates || (sender.uid !== null && [target.real, target.saved].includes(sender.uid));
}

const mayOnlyLook = ({ name, uid }: Caller): MosrunError =>
  new MosrunError(
    'not-permitted',
    `${name} may only look: ${uid === null ? 'make a certificate with mosconf tool --operate' : 'ask as root'}`,
  );

/** Throws when the caller may not, or when there is no such process. */
export function checkMayKill(caller: Caller, pid: number): void {
  if (caller.uid === null && !caller.operates) throw mayOnlyLook(caller);
  const target = readUids(pid);
  if (!target) throw new MosrunError('not-found', `there is no process ${pid}: see mosps`);
  if (!mayKill(caller, target)) {
    throw new MosrunError('not-permitted', `process ${pid} belongs to somebody else: only its owner or root may move it`);
  }
}

/** Throws when the caller may not make this request. */
export function checkPermission(permission: Permission, caller: Caller, pid: number | undefined): void {
  if (permission === 'anyone') return;
  if (permission === 'owner' && pid !== undefined) checkMayKill(caller, pid);
  else if (!caller.operates) throw mayOnlyLook(caller);
}
