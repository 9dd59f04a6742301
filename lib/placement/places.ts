/** The nodes of the cluster as places for a process. */
import { type NodeView, clusterOf } from '../cluster/index.js';
import type { ExpectedLoads } from './expected.js';
import type { Candidate } from './decide.js';
import type { Link } from './profile.js';

/** Kept free on a node beside what a process needs; the node itself may keep more, and says so when it is asked. */
export const RESERVE_BYTES = 64 * 2 ** 20;

export interface Survey {
  /** Whose processes are to be placed. */
  home: NodeView;
  nodes: readonly NodeView[];
  expected: ExpectedLoads;
  linkTo: (node: string) => Link;
  /** Why nothing of this home is placed there; null: it may be. */
  whyBarred?: (node: NodeView) => string | null;
}

/** Of one of the home's processes, what counts for where it may be. */
export interface Bounds {
  /** It may go to other clusters. */
  abroad: boolean;
  /** Why it does not go to a node of another cluster from where it is; null: it may. */
  whyNotTo: (node: string, from: string) => string | null;
}

function whyNot(node: NodeView, home: NodeView): string | null {
  // Home takes its own whatever it is set to.
  if (node.self) return null;
  if (node.state === 'down') return `it is down (${node.why ?? 'no sign of life'})`;
  if (node.state === 'blocked') return 'it is blocked for guests';
  if (node.state === 'leaving') return 'it is leaving the cluster';
  if (!node.facts || !home.facts) return 'nothing is known of it yet';
  if (node.facts.cpu_hash !== home.facts.cpu_hash) return 'its processor differs';
  if (node.facts.protocol !== home.facts.protocol) return 'it has another version of mosrun';
  return null;
}

/** The places as they are for one process: those of other clusters only where it may go there at all. */
export function placesFor(all: readonly Candidate[], { abroad, whyNotTo }: Bounds, at: string): Candidate[] {
  return all
    .filter(({ name }) => clusterOf(name) === null || abroad || name === at)
    .map((one) =>
      one.excluded !== null || one.name === at || clusterOf(one.name) === null
        ? one
        : { ...one, excluded: whyNotTo(one.name, at) },
    );
}

export function candidates({ home, nodes, expected, linkTo, whyBarred = () => null }: Survey): Candidate[] {
  return nodes.map((node) => {
    const { facts } = node;
    const extra = expected.at(node.name, node.lastSeenSeconds ?? 0);
    return {
      name: node.name,
      excluded: whyNot(node, home) ?? (node.self ? null : whyBarred(node)),
      cpus: facts?.cpus ?? 1,
      speed: facts?.speed ?? 1,
      runnable: Math.max(0, (facts?.runnable ?? facts?.load ?? 0) + extra.runnable),
      memoryBytes: facts?.memory_bytes ?? 0,
      memoryFreeBytes: Math.max(0, (facts?.memory_free_bytes ?? 0) - extra.memoryBytes - RESERVE_BYTES),
      link: node.self ? null : linkTo(node.name),
    };
  });
}
