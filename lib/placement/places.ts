/** The nodes of the cluster as places for a process. */
import type { NodeView } from '../cluster/index.js';
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

export function candidates({ home, nodes, expected, linkTo }: Survey): Candidate[] {
  return nodes.map((node) => {
    const { facts } = node;
    const extra = expected.at(node.name, node.lastSeenSeconds ?? 0);
    return {
      name: node.name,
      excluded: whyNot(node, home),
      cpus: facts?.cpus ?? 1,
      speed: facts?.speed ?? 1,
      runnable: Math.max(0, (facts?.runnable ?? facts?.load ?? 0) + extra.runnable),
      memoryBytes: facts?.memory_bytes ?? 0,
      memoryFreeBytes: Math.max(0, (facts?.memory_free_bytes ?? 0) - extra.memoryBytes - RESERVE_BYTES),
      link: node.self ? null : linkTo(node.name),
    };
  });
}
