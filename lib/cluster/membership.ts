/** Who belongs to the cluster and who is there now. Static today; anything that keeps this interface may take its place. */
import type { Heartbeat } from '../shared/wire.js';

export interface NodeAddress {
  /** Of another cluster's with that behind it: see names.ts. */
  name: string;
  /** Within its own cluster. */
  number: number;
  address: string;
  controlPort: number;
  dataPort: number;
  /** Of another cluster's: that cluster's name in datagrams. */
  authority?: string;
}

export type NodeState = 'up' | 'down' | 'leaving' | 'blocked';

export interface NodeView extends NodeAddress {
  self: boolean;
  state: NodeState;
  /** Why it is not up. */
  why: string | null;
  /** Age of its last sign of life; null while there was none. */
  lastSeenSeconds: number | null;
  facts: Heartbeat | null;
  /** What its administrator calls it besides. */
  labels?: readonly string[];
  /** Its clock less this node's; null: they have not talked yet, or it does not say. */
  clockOffsetSeconds?: number | null;
}

export interface Membership {
  readonly self: NodeAddress;
  nodes(): NodeView[];
  /** This node, those of these names, and of the others those of the youngest news, up to so many in all. In no order. */
  latest(most: number, names: ReadonlySet<string>): NodeView[];
  /** By name, address or number; by number only those of the own cluster. */
  find(nameOrAddressOrNumber: string): NodeView | null;
  /** A node has shown itself to us: if we thought it away, look again at once. */
  heardFrom(name: string): void;
  /** A node has said goodbye: it is down until it shows that it is back. */
  left(name: string): void;
  /** The configuration was read again. */
  replace(nodes: readonly NodeAddress[]): void;
  start(): void;
  stop(): void;
}
