/** Questions to other nodes: HTTPS with both sides' certificates of the cluster's own authority, TLS 1.3 only. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Socket } from 'node:net';
import type { z } from 'zod';
import { MosrunError, errorFrom } from '../shared/errors.js';
import type { NodeAddress } from './membership.js';

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

export class PeerClient {
  private readonly agents = new Map<string, Agent>();

  /** @param onAnswer told of each connection over which an answer has come. */
  constructor(
    private readonly credentials: Credentials,
    private readonly onAnswer: (node: string, socket: Socket) => void = () => {},
  ) {}

  private agentOf(node: NodeAddress): Agent {
    let agent = this.agents.get(node.name);
    if (!agent) {
      const { ca, certificate, key } = this.credentials;
      agent = new Agent({
        keepAlive: true,
        maxSockets: 4,
        ca,
        cert: certificate,
        key,
        minVersion: 'TLSv1.3',
        // The certificate must be this very node's, whatever address it is reached at.
        servername: node.name,
      });
      this.agents.set(node.name, agent);
    }
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
    return new Promise((resolve, reject) => {
      const text = question.body === undefined ? '' : JSON.stringify(question.body);
      const outgoing: ClientRequest = request({
        agent: this.agentOf(node),
        host: node.address,
        port: node.controlPort,
        method: question.method,
        path: question.path,
        headers: text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {},
      });
      const unreachable = (why: string): MosrunError =>
        new MosrunError(
          'unreachable',
          `${node.name} (${node.address}:${node.controlPort}) cannot be reached: ${why}: check that mosd runs there`,
        );
      const giveUp = (error: Error): void => {
        reject(error);
        outgoing.destroy();
      };
      const connecting = setTimeout(() => {
        giveUp(unreachable(`no connection within ${question.connectSeconds} s`));
      }, question.connectSeconds * 1000);
      const whole = setTimeout(() => {
        giveUp(new MosrunError('timeout', `${node.name} gave no answer within ${question.timeoutSeconds} s: see mosctl nodes`));
      }, question.timeoutSeconds * 1000);
      outgoing.on('socket', (socket) => {
        if (outgoing.reusedSocket) clearTimeout(connecting);
        else
          socket.once('secureConnect', () => {
            clearTimeout(connecting);
          });
      });
      outgoing.on('close', () => {
        clearTimeout(connecting);
        clearTimeout(whole);
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        reject(outgoing.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : unreachable(error.message));
      });
      outgoing.on('response', (incoming: IncomingMessage) => {
        this.onAnswer(node.name, incoming.socket);
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
    for (const agent of this.agents.values()) agent.destroy();
    this.agents.clear();
  }
}

class StaleConnection extends Error {}
