/** What membership by gossip needs of the world. */
import type { Clock } from '../shared/clock.js';
import type { Heartbeat } from '../shared/wire.js';
import type { Datagram, Received } from './datagrams.js';
import type { NodeAddress, NodeState, NodeView } from './membership.js';

export interface GossipPorts {
  self: string;
  clock: Clock;
  /** 0 ≤ x < 1. */
  random: () => number;
  /** What this node says of itself; to another cluster's nodes it may say other things. @param cluster null: its own. */
  own: (cluster: string | null) => Heartbeat;
  /** The own cluster's name in datagrams; none: this one knows no others. */
  authority?: string;
  /** A step on average, and how long a node has to say that it has heard. */
  stepSeconds: number;
  answerSeconds: number;
  /** For the questions over TLS. */
  timeoutSeconds: number;
  /** Asks a node for its sign of life; rejects with the reason. Must end within `timeoutSeconds`. */
  ask: (node: NodeAddress, timeoutSeconds: number) => Promise<Heartbeat>;
  /** Signs it and sends it; what is lost is lost. */
  send: (to: NodeAddress, datagram: Datagram) => void;
  /** Is it signed by that node? null: its key is not known yet. */
  isSigned: (from: NodeAddress, received: Received) => boolean | null;
  /** Greater than that of any daemon here before. */
  life: number;
  /** A node has told of itself. */
  onHeard: (node: NodeAddress, facts: Heartbeat) => void;
  /** A node has another state than before, or was started again in between. */
  onChange: (node: NodeView, before: NodeState) => void;
}
