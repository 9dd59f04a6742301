/** Membership from a configured list: every node is asked for a sign of life, again and again, by everyone. */
import type { Clock } from '../shared/clock.js';
import type { Heartbeat } from '../shared/wire.js';
import type { Membership, NodeAddress, NodeState, NodeView } from './membership.js';

export interface StaticMembershipPorts {
  self: string;
  clock: Clock;
  /** Asks a node for its sign of life; rejects with the reason. Must end within `timeoutSeconds`. */
  ask: (node: NodeAddress, timeoutSeconds: number) => Promise<Heartbeat>;
  own: () => Heartbeat;
  intervalSeconds: number;
  timeoutSeconds: number;
  /** A node has another state than before, or was started again in between. */
  onChange: (node: NodeView, before: NodeState) => void;
}

interface Peer {
  node: NodeAddress;
  lastSeen: number | null;
  facts: Heartbeat | null;
  up: boolean;
  why: string | null;
  /** It said goodbye, and has not come back since. */
  left: boolean;
  asking: boolean;
  cancel: () => void;
}

export class StaticMembership implements Membership {
  private peers = new Map<string, Peer>();
  private running = false;

  constructor(
    nodes: readonly NodeAddress[],
    private readonly ports: StaticMembershipPorts,
  ) {
    this.replace(nodes);
  }

  get self(): NodeAddress {
    const own = this.peers.get(this.ports.self);
    if (!own) throw new Error(`node ${this.ports.self} is not in its own list`);
    return own.node;
  }

  replace(nodes: readonly NodeAddress[]): void {
    const before = this.peers;
    this.peers = new Map();
    for (const node of nodes) {
      const known = before.get(node.name);
      const same = known && known.node.address === node.address && known.node.controlPort === node.controlPort;
      const peer: Peer = same
        ? // A question under way belongs to the old entry.
          { ...known, node, asking: false, cancel: () => {} }
        : { node, lastSeen: null, facts: null, up: false, why: 'not heard of yet', left: false, asking: false, cancel: () => {} };
      this.peers.set(node.name, peer);
    }
    for (const peer of before.values()) peer.cancel();
    if (this.running) for (const peer of this.peers.values()) this.beat(peer.node.name);
  }

  start(): void {
    this.running = true;
    for (const name of this.peers.keys()) this.beat(name);
  }

  stop(): void {
    this.running = false;
    for (const peer of this.peers.values()) peer.cancel();
  }

  heardFrom(name: string): void {
    const peer = this.peers.get(name);
    if (peer && !peer.up && this.running) this.beat(name);
  }

  left(name: string): void {
    const peer = this.peers.get(name);
    if (!peer || name === this.ports.self) return;
    const before = this.view(peer).state;
    Object.assign(peer, { up: false, left: true, why: 'it was shut down' });
    if (before !== 'down') this.ports.onChange(this.view(peer), before);
  }

  private beat(name: string): void {
    const peer = this.peers.get(name);
    if (!peer || name === this.ports.self || peer.asking || !this.running) return;
    const { ask, clock, intervalSeconds, timeoutSeconds, onChange } = this.ports;
    peer.cancel();
    peer.asking = true;
    const begun = clock.seconds();
    const settle = (change: () => void): void => {
      peer.asking = false;
      if (this.peers.get(name) !== peer || !this.running) return;
      const before = this.view(peer);
      change();
      const now = this.view(peer);
      const isAnother = before.facts && now.facts && before.facts.boot_id !== now.facts.boot_id;
      if (before.state !== now.state || isAnother) onChange(now, before.state);
      const rest = Math.max(0.05, intervalSeconds - (clock.seconds() - begun));
      peer.cancel = clock.after(rest, () => {
        this.beat(name);
      });
    };
    ask(peer.node, timeoutSeconds).then(
      (facts) => {
        settle(() => {
          peer.lastSeen = clock.seconds();
          peer.facts = facts;
          // One that has said goodbye still answers for a moment.
          if (peer.left && facts.state === 'leaving') return;
          peer.left = false;
          peer.up = true;
          peer.why = null;
        });
      },
      (error: unknown) => {
        settle(() => {
          if (peer.left) return;
          peer.why = error instanceof Error ? error.message : String(error);
          // One lost question is no death, unless nothing has been heard for as long as an answer may take.
          if (peer.lastSeen === null || clock.seconds() - peer.lastSeen >= timeoutSeconds) peer.up = false;
        });
      },
    );
  }

  private view(peer: Peer): NodeView {
    const { self, clock, own } = this.ports;
    if (peer.node.name === self) {
      const facts = own();
      return { ...peer.node, self: true, state: facts.state, why: null, lastSeenSeconds: 0, facts };
    }
    return {
      ...peer.node,
      self: false,
      state: peer.up ? (peer.facts?.state ?? 'up') : 'down',
      why: peer.up ? null : peer.why,
      lastSeenSeconds: peer.lastSeen === null ? null : clock.seconds() - peer.lastSeen,
      facts: peer.facts,
    };
  }

  nodes(): NodeView[] {
    return [...this.peers.values()].map((peer) => this.view(peer)).sort((one, other) => one.number - other.number);
  }

  find(wanted: string): NodeView | null {
    // A name wins over an address, an address over a number: a node may be called "7".
    const all = [...this.peers.values()];
    const found =
      this.peers.get(wanted) ??
      all.find(({ node }) => node.address === wanted) ??
      all.find(({ node }) => /^\d+$/.test(wanted) && node.number === Number(wanted));
    return found ? this.view(found) : null;
  }
}
