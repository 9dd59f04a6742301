/** What this node has of what mosrun needs: each by name, with what is lost without it. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import type { Addon } from '../engine/index.js';
import type { DoctorDocument } from '../shared/documents.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { kernelIsTooOld } from '../placement/index.js';

interface Meaning {
  needed: boolean;
  lost: string;
}

const meanings: Record<string, Meaning> = {
  ptrace: { needed: true, lost: 'no process of this node can be moved: the mover cannot seize it' },
  'seccomp-trap': { needed: true, lost: 'no guest can run here: its calls could not be sent home' },
  'user-namespace': { needed: true, lost: 'no guest can be confined here' },
  'guest-namespaces': { needed: true, lost: 'no guest can be confined here' },
  'time-namespace': { needed: false, lost: 'guests see the monotonic clock of this node, not that of home' },
  'clone3-set-tid': { needed: true, lost: 'guests cannot have the numbers of their home processes' },
  fsgsbase: { needed: true, lost: 'a guest cannot take on its thread pointer (Linux 5.9, FSGSBASE)' },
  userfaultfd: { needed: false, lost: 'large file mappings are copied whole instead of when touched' },
  'userfaultfd-wp-async': {
    needed: false,
    lost: 'no live pre-copy: memory is copied while the process stands still (Linux 6.7)',
  },
  'pagemap-scan': { needed: false, lost: 'no live pre-copy: memory is copied while the process stands still (Linux 6.7)' },
  'thread-pidfd': { needed: false, lost: 'a process whose first thread has ended cannot leave this node (Linux 6.9)' },
};

export interface DoctorFacts {
  addon: Addon;
  kernel: string;
  tracking: string;
  hasCgroups: boolean;
  /** Why mosgate does not run; null when it does. */
  gateProblem: string | null;
  /** Why mosseal cannot encrypt; null when it can. */
  sealProblem: string | null;
  isRoot: boolean;
}

/** Can mosseal be run? It is the one helper that needs libraries. */
export function trySeal(libexec: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(path.join(libexec, 'mosseal'), ['--version'], { timeout: 2000 }, (error, _, said) => {
      resolve(error && (said.trim() || error.message));
    });
  });
}

export function examine(facts: DoctorFacts): DoctorDocument {
  const checks: DoctorDocument['checks'] = [
    {
      name: 'kernel',
      ok: !kernelIsTooOld(facts.kernel),
      needed: true,
      detail: facts.kernel,
      lost: 'nothing can move: Linux 5.11 or newer is needed',
    },
    {
      name: 'root',
      ok: facts.isRoot,
      needed: true,
      detail: facts.isRoot ? '' : 'mosd does not run as root',
      lost: "other users' processes cannot be moved",
    },
    {
      name: 'cgroup-v2',
      ok: facts.hasCgroups,
      needed: false,
      detail: facts.tracking,
      lost: 'descendants are followed by ancestry: one whose ancestors all ended between two looks may be missed',
    },
    {
      name: 'mosgate',
      ok: facts.gateProblem === null,
      needed: true,
      detail: facts.gateProblem ?? '',
      lost: 'no guest can come here',
    },
    {
      name: 'mosseal',
      ok: facts.sealProblem === null,
      needed: false,
      detail: facts.sealProblem ?? '',
      lost: 'no encrypted session, here or elsewhere for processes of this node (libssl3 and libcrypto)',
    },
    ...facts.addon.probeKernel().map((probe) => ({ ...probe, ...(meanings[probe.name] ?? { needed: false, lost: '' }) })),
  ];
  return { version: DOCUMENT_VERSION, ok: checks.every((check) => check.ok || !check.needed), checks };
}
