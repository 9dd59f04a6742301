/** Questions to other nodes: HTTPS with certificates on both sides, each of its own cluster's authority, TLS 1.3 only. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type * as z from 'zod';
import { MosrunError, errorFrom } from '../shared/errors.js';
import type { NodeAddress } from './membership.js';
import { clusterOf, ownNameOf } from './names.js';

export interface Credentials {
  /** PEM texts. */
  ca: string;
  certificate: string;
  key: string;
}

export interface Question {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  connectSeconds: number;
  timeoutSeconds: number;
}

const LONGEST_ANSWER_BYTES = 1 << 20;

/** Any node of a cluster, at an address: the name that asks for no certain one. */
export const anyNodeOf = (cluster: string, address: string, port: number): NodeAddress => ({
  name: `@${cluster}`,
  number: 0,
  address,
  controlPort: port,
  dataPort: 0,
});

export class PeerClient {
  private readonly agents = new Map<string, { agent: Agent; ca: string }>();

  /**
   * @param onAnswer told of each connection over which an answer has come.
   * @param authorityOf the certificate of another cluster's authority, PEM; null: it is not known (any more).
   */
  constructor(
    private readonly credentials: Credentials,
    private readonly onAnswer: (node: string, socket: Socket) => void = () => {},
    private readonly authorityOf: (cluster: string) => string | null = () => null,
  ) {}

  private agentOf({ name, address, controlPort }: NodeAddress): Agent {
    const cluster = clusterOf(name);
    // Each cluster's nodes are known by their own authority alone, so that none passes for another's.
    const ca = cluster === null ? this.credentials.ca : this.authorityOf(cluster);
    if (ca === null) throw new MosrunError('unknown-node', `cluster ${cluster} is no partner: see mosconf partner list`);
    const node = ownNameOf(name);
    const key = node === '' ? `${name} ${address}:${controlPort}` : name;
    const known = this.agents.get(key);
    if (known?.ca === ca) return known.agent;
    known?.agent.destroy();
    const { certificate, key: privateKey } = this.credentials;
    const agent = new Agent({
      keepAlive: true,
      maxSockets: 4,
      ca,
      // Who does not know this cluster can tell its administrator which it is.
      cert: cluster === null ? certificate : certificate + this.credentials.ca,
      key: privateKey,
      minVersion: 'TLSv1.3',
      // The certificate must be this very node's, whatever address it is reached at; of any node's it must be good for a server, as no tool's is.
      ...(node === '' ? { checkServerIdentity: () => undefined } : { servername: node }),
    });
    this.agents.set(key, { agent, ca });
    return agent;
  }

  /** Asks, and checks the answer; rejects with a MosrunError: unreachable, timeout, or what the node itself said. */
  async ask<T>(node: NodeAddress, question: Question, schema: z.ZodType<T>): Promise<T> {
    let answer: { status: number; body: unknown };
    try {
      answer = await this.once(node, question);
      // Its daemon had so much to do that the request seemed late, and was not read.
      if (answer.status === 408) throw new StaleConnection();
    } catch (error) {
      // A kept connection may have been closed by a daemon that was restarted in between.
      if (!(error instanceof StaleConnection)) throw error;
      answer = await this.once(node, question);
    }
    const parsed = schema.safeParse(answer.body);
    if (answer.status === 200 && parsed.success) return parsed.data;
    const { error } = (answer.body ?? {}) as { error?: { code?: string; message?: string } };
    if (error?.message) throw errorFrom(error.code ?? 'failed', error.message);
    throw new MosrunError(
      'failed',
      `${node.name} answered what is not understood (status ${answer.status}): compare the versions of mosrun`,
    );
  }

  private once(node: NodeAddress, question: Question): Promise<{ status: number; body: unknown }> {
    const agent = this.agentOf(node);
    return new Promise((resolve, reject) => {
      const text = question.body === undefined ? '' : JSON.stringify(question.body);
      const outgoing: ClientRequest = request({
        agent,
        host: node.address,
        port: node.controlPort,
        method: question.method,
        path: question.path,
        headers: text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {},
      });
      const unreachable = (why: string): MosrunError =>
        new MosrunError(
          'unreachable',
          `${ownNameOf(node.name) === '' ? 'a node' : node.name} (${node.address}:${node.controlPort}) cannot be reached: ${why}: check that mosd runs there`,
        );
      const giveUp = (error: Error): void => {
        reject(error);
        outgoing.destroy();
      };
      let connecting: NodeJS.Timeout | undefined, whole: NodeJS.Timeout | undefined;
      let isReused = false;
      // Until it has a connection to itself it waits for questions that were asked before it, and that is no fault of the node's.
      outgoing.on('socket', (socket) => {
        isReused =
          !(socket as TLSSocket).connecting && (socket as TLSSocket & { secureConnecting?: boolean }).secureConnecting === false;
        whole = setTimeout(() => {
          giveUp(new MosrunError('timeout', `${node.name} gave no answer within ${question.timeoutSeconds} s: see mosctl nodes`));
        }, question.timeoutSeconds * 1000);
        if (isReused) return;
        connecting = setTimeout(() => {
          giveUp(unreachable(`no connection within ${question.connectSeconds} s`));
        }, question.connectSeconds * 1000);
        socket.once('secureConnect', () => {
          clearTimeout(connecting);
        });
      });
      outgoing.on('close', () => {
        clearTimeout(connecting);
        clearTimeout(whole);
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        reject(isReused && error.code === 'ECONNRESET' ? new StaleConnection() : unreachable(error.message));
      });
      outgoing.on('response', (incoming: IncomingMessage) => {
        if (ownNameOf(node.name) !== '') this.onAnswer(node.name, incoming.socket);
        let body = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (more: string) => {
          body += more;
          if (body.length > LONGEST_ANSWER_BYTES) giveUp(unreachable('its answer has no end'));
        });
        incoming.on('error', (error) => {
          reject(unreachable(error.message));
        });
        incoming.on('end', () => {
          try {
            resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(body) as unknown });
          } catch {
            resolve({ status: incoming.statusCode ?? 0, body: null });
          }
        });
      });
      outgoing.end(text);
    });
  }

  close(): void {
    for (const { agent } of this.agents.values()) agent.destroy();
    this.agents.clear();
  }
}

class StaleConnection extends Error {}
