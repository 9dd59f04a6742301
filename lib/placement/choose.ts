/** Which node is best? Today: the one with most processor to spare. */
import type { NodeView } from '../cluster/index.js';

/** Busy part of the node's processors, 0 to 1; what is not known counts as full. */
const fullness = (node: NodeView): number => (node.facts && node.facts.cpus > 0 ? node.facts.load / node.facts.cpus : 1);

/** The least loaded of the nodes that are up, home-node first among equals; null when there is none. */
export function bestNode(nodes: readonly NodeView[], allowed: (node: NodeView) => boolean = () => true): NodeView | null {
  const candidates = nodes.filter((node) => node.state === 'up' && allowed(node));
  candidates.sort(
    (one, other) => fullness(one) - fullness(other) || Number(other.self) - Number(one.self) || one.number - other.number,
  );
  return candidates[0] ?? null;
}
