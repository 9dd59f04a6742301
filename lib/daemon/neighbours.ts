/** What this node asks other nodes beside sessions. */
import * as z from 'zod';
import type { Membership, NodeAddress, NodeView, PeerClient, Question } from '../cluster/index.js';
import { type RecallResult, recalled } from '../shared/wire.js';
import type { Configuration } from './configuration.js';
import { findNode } from './services.js';

export interface NeighbourPorts {
  peers: PeerClient;
  members: Membership;
  configuration: () => Configuration;
  /** Where a home is that has guests here and is in no list; null: nobody knows. */
  homeAt: (home: string) => { address: string; port: number } | null;
}

/** A home brings some of its processes home at a time, each within the bound of a move. */
const MOVES_IN_A_ROW = 3;

export class Neighbours {
  constructor(private readonly ports: NeighbourPorts) {}

  private ask<T>(
    name: string,
    question: Pick<Question, 'method' | 'path' | 'body'>,
    schema: z.ZodType<T>,
    seconds = 5,
  ): Promise<T> {
    const { peers, members, configuration } = this.ports;
    const connectSeconds = configuration().migration.connect_timeout_seconds;
    const node = members.find(name) ?? this.home(name) ?? findNode(members, name);
    return peers.ask(node, { ...question, connectSeconds, timeoutSeconds: connectSeconds + seconds }, schema);
  }

  private home(name: string): NodeAddress | null {
    const at = this.ports.homeAt(name);
    return at && { name, number: 0, address: at.address, controlPort: at.port, dataPort: 0 };
  }

  /** Has a home take the processes of these sessions away; settles when that is over, with what became of each. */
  async recall(home: string, sessions: readonly string[], reason: string | null): Promise<RecallResult[]> {
    const seconds = MOVES_IN_A_ROW * this.ports.configuration().migration.timeout_seconds;
    const { results } = await this.ask(
      home,
      { method: 'POST', path: '/v1/recalls', body: { sessions, reason } },
      recalled,
      seconds,
    );
    return results;
  }

  /** Tells all nodes that are up that this one goes. One that cannot be told notices by itself. */
  async sayGoodbye(): Promise<void> {
    const others = this.ports.members.nodes().filter((node: NodeView) => !node.self && node.state !== 'down');
    const nothing = z.looseObject({});
    await Promise.allSettled(
      others.map(({ name }) => this.ask(name, { method: 'POST', path: '/v1/goodbye', body: {} }, nothing, 1)),
    );
  }
}
