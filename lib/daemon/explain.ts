/** What would become of a process, or of a program that is not started yet: nothing is moved, nodes are asked. */
import { type Membership, clusterOf } from '../cluster/index.js';
import type { Engine } from '../engine/index.js';
import type { ProcessRecord } from '../processes/index.js';
import type { LaunchExplanationDocument, ProcessDocument, Verdict } from '../shared/documents.js';
import { asMosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import type { Launch } from '../shared/launch-decision.js';
import type { ProgramFound } from '../shared/launch-frames.js';
import { DOCUMENT_VERSION } from '../shared/version.js';

/** Asks a node whether it would take a process; the answer is its reason not to, or null. Rejects where it cannot be asked. */
export type AskAdmission = (node: string, pid: number) => Promise<string | null>;

/** What every other node says of a process. @param abroad it may go to other clusters: theirs too. */
export function verdicts(members: Membership, ask: AskAdmission, pid: number, abroad: boolean): Promise<Verdict[]> {
  const others = members.nodes().filter((node) => !node.self && (abroad || clusterOf(node.name) === null));
  return Promise.all(
    others.map(async ({ name, state, why }) => {
      if (state === 'down') return { node: name, takes: false, reason: `it is down (${why ?? 'no sign of life'})` };
      const reason = await ask(name, pid).catch((error: unknown) => asMosrunError(error).message);
      return { node: name, takes: reason === null, reason };
    }),
  );
}

/** Why a process is where it is, from what is kept of it. */
export function becauseOf(one: ProcessDocument, record: ProcessRecord | null): string {
  const last = record?.entries.findLast((entry) => entry.outcome === 'done');
  if (one.state === 'moving') return 'it is being moved';
  const place = one.state === 'frozen' ? FROZEN : one.where;
  if (one.where !== one.home && !last) return `it was born there, by process ${one.parent_pid}`;
  if (!last) return one.where === one.home ? 'it was started here, and nothing has moved it' : 'it is not known';
  // A return that no mover made is noted when the process is next looked into.
  if (last.to !== place) return 'it came home by itself';
  return `${last.reason}, ${new Date(last.at * 1000).toISOString()}`;
}

const ELF_64 = 2;
const EM_X86_64 = 62;

/** What kind of file it is, and why it could not move for that; elf(5), execve(2). */
export function kindOf(head: Buffer): { kind: string; reason: string | null } {
  if (head.subarray(0, 2).toString('latin1') === '#!') {
    const [line = ''] = head.toString('utf8', 2).split('\n');
    return { kind: `a script of ${line.trim()}`, reason: null };
  }
  if (head.length < 20 || head.toString('latin1', 0, 4) !== '\x7fELF') {
    return { kind: head.length === 0 ? 'not readable' : 'neither a binary nor a script: the shell reads it', reason: null };
  }
  if (head[4] === ELF_64 && head.readUInt16LE(18) === EM_X86_64) return { kind: 'an x86_64 program', reason: null };
  return { kind: 'a program of another architecture', reason: 'it is no x86_64 program' };
}

export interface LaunchPorts {
  members: Membership;
  engine: Pick<Engine, 'explain'>;
  ask: AskAdmission;
  /** Where it would start, and why. */
  start: { node: string; because: string };
  options: Pick<LaunchExplanationDocument, 'locked' | 'clock'> & { id: string | null; abroad: boolean };
}

/** @param launcherPid the program would take its place: what keeps the launcher (a seccomp filter, a tracer) keeps the program too. */
export async function explainLaunch(
  ports: LaunchPorts,
  launcherPid: number,
  found: ProgramFound,
): Promise<LaunchExplanationDocument> {
  const { kind, reason } = kindOf(found.head);
  const inherited = await ports.engine.explain(launcherPid);
  const reasons = [...(reason === null ? [] : [reason]), ...(inherited?.reasons ?? [])];
  return {
    version: DOCUMENT_VERSION,
    program: found.path,
    kind,
    movable: reasons.length === 0,
    reasons,
    start: ports.start,
    locked: ports.options.locked,
    clock: ports.options.clock,
    job: ports.options.id,
    nodes: await verdicts(ports.members, ports.ask, launcherPid, ports.options.abroad),
  };
}

/** Where a launch starts, in words. */
export function startOf(launch: Launch, node: string | null, home: string): { node: string; because: string } {
  const { start } = launch;
  if (start.at === 'node') return { node: node ?? home, because: `asked for (-r ${start.node})` };
  if (start.at === 'some') return { node: node ?? home, because: 'one of those asked for (-j), at random' };
  if (start.at === 'best') return { node: node ?? home, because: 'the best node now (-b)' };
  if (start.at === 'unsaid' && node !== null) return { node, because: 'the best node now' };
  return { node: home, because: 'the home-node, since nothing else is asked for' };
}
