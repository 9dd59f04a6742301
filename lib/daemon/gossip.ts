/** Who is there, as the nodes tell each other: membership by gossip, its port, and the keys it is signed by. */
import path from 'node:path';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import * as z from 'zod';
import { GossipMembership, type GossipPorts, GossipSocket, NodeKeys } from '../cluster/index.js';
import { readJson, writeAtomically } from '../shared/files.js';
import type { Context } from './context.js';

export type GossipNeeds = Pick<GossipPorts, 'own' | 'authority' | 'ask' | 'onHeard' | 'onChange'> & {
  /** This node's private key, PEM. */
  key: string;
};

/** Of the time an answer over TLS may take, what a node has to say that it has heard. */
const ANSWER_PART = 0.25;

const lives = z.object({ version: z.literal(1), life: z.int().nonnegative() });

/** Greater than that of any daemon here before, also where the clock was set back. */
function nextLife(file: string, wallSeconds: number): number {
  const before = lives.safeParse(readJson(file));
  const life = Math.max(Math.round(wallSeconds * 1000), before.success ? before.data.life + 1 : 0);
  writeAtomically(file, JSON.stringify({ version: 1, life }));
  return life;
}

export class Gossip {
  readonly members: GossipMembership;
  private readonly keys = new NodeKeys();
  private readonly met = new WeakSet<Socket>();
  private readonly socket: GossipSocket;

  constructor(
    private readonly context: Context,
    { key, ...needs }: GossipNeeds,
  ) {
    const { configuration, clock, own, log } = context;
    const { interval_seconds: interval, timeout_seconds: timeout } = configuration().heartbeat;
    this.socket = new GossipSocket(
      key,
      (received) => {
        this.members.receive(received);
      },
      (message) => {
        log.error({ error: message, port: own.controlPort }, 'no gossip by UDP: nodes are asked over TLS instead');
      },
    );
    this.members = new GossipMembership(context.addresses(), {
      ...needs,
      self: own.name,
      clock,
      random: Math.random,
      stepSeconds: interval / 2,
      answerSeconds: timeout * ANSWER_PART,
      timeoutSeconds: timeout,
      life: nextLife(path.join(configuration().paths.state, 'gossip.json'), clock.wallSeconds()),
      send: (to, datagram) => {
        this.socket.send(to, datagram);
      },
      isSigned: ({ name }, received) => this.keys.isSigned(name, received),
    });
  }

  /** A node has shown its certificate on this connection. */
  meet(node: string, socket: Socket): void {
    if (this.met.has(socket)) return;
    this.met.add(socket);
    const certificate = (socket as TLSSocket).getPeerX509Certificate();
    if (certificate) this.keys.learn(node, certificate.publicKey);
  }

  async start(): Promise<void> {
    await this.socket.listen(this.context.own);
    this.members.start();
  }

  stop(): void {
    this.members.stop();
    this.socket.close();
  }
}
