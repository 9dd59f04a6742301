/**
 * What this node answers over TLS to holders of a certificate of the cluster: to nodes signs of life and sessions, to tools the API. Which of
 * both is asked follows from the certificate alone: no node can order by it what a tool may, nor a tool open a session. A machine without one is
 * listened to only while an invitation is open, and only about that.
 */
import { constants } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type HttpBindings, getRequestListener } from '@hono/node-server';
import { type Context, type Env, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { type Credentials, type Holder, type NodeList, holderOf } from '../cluster/index.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import {
  type Heartbeat,
  type JoinAnswer,
  type JoinRequest,
  type LinkRequest,
  type RecallResult,
  type SessionAnswer,
  type SessionRequest,
  type SessionUsage,
  type ProcessUsage,
  joinRequest,
  linkRequest,
  recall,
  sessionRequest,
} from '../shared/wire.js';
import { Connections, serverTimes } from './connections.js';
import { type Handlers, httpApi } from './http-api.js';
import type { Caller } from './permission.js';

export interface PeerServices {
  /** Is there a node of that name in our list? */
  knows(node: string): boolean;
  /** It has asked something, on this connection. */
  heardFrom(node: string, socket: Socket): void;
  heartbeat(): Heartbeat;
  /** Would it be taken? The answer is a reason, or null. */
  refusal(request: SessionRequest): string | null;
  openSession(request: SessionRequest): Promise<SessionAnswer>;
  /** Nobody will come for it; false when this home has no such session. */
  dropSession(home: string, session: string): Promise<boolean>;
  /** Brings this node's processes home that are in these sessions of the peer. */
  recall(peer: string, sessions: readonly string[]): Promise<RecallResult[]>;
  /** It goes. */
  goodbye(peer: string): void;
  /** What a session of that home has used; throws when there is none, or it ended long ago. */
  sessionUsage(home: string, session: string): Promise<SessionUsage>;
  /** What each process of that home that runs here has used. */
  processUsages(home: string): Promise<ProcessUsage[]>;
  /** Opens the channel that a guest's memory will go over, to the node it is to move on to. */
  link(home: string, session: string, request: LinkRequest): Promise<void>;
  /** null: the cluster keeps none. */
  list(): NodeList | null;
  /** Is an invitation open? */
  strangersAreExpected(): boolean;
  admit(request: JoinRequest, from: string): Promise<JoinAnswer>;
}

/** A session is asked for with the process's whole command line. */
const LONGEST_BODY_BYTES = 8 << 20;

/** Of machines without a certificate. */
const STRANGERS_MAX = 8;
const STRANGER_SECONDS = 10;
const LONGEST_STRANGER_BODY_BYTES = 16 << 10;

/** Whose certificate the other side has; null: none of this cluster. A resumed session may be `authorized` without any. */
function holder(socket: Socket): Holder | null {
  const { authorized } = socket as TLSSocket;
  return authorized ? holderOf((socket as TLSSocket).getPeerCertificate().subject) : null;
}

function sayWhatFailed<E extends Env>(app: Hono<E>): RequestListener {
  app.onError((thrown, context) => {
    const error = asMosrunError(thrown);
    return context.json({ version: DOCUMENT_VERSION, error: error.toDocument() }, error.httpStatus);
  });
  const listener = getRequestListener((request, env) => app.fetch(request, env));
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

function strangersApp(services: PeerServices): RequestListener {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.post('/v1/join', bodyLimit({ maxSize: LONGEST_STRANGER_BODY_BYTES }), async (context) => {
    const parsed = joinRequest.safeParse(await context.req.json().catch(() => null));
    if (!parsed.success) throw new MosrunError('usage', 'the request to join is not understood: compare the versions of mosrun');
    return context.json(await services.admit(parsed.data, context.env.incoming.socket.remoteAddress ?? ''));
  });
  app.notFound(() => {
    throw new MosrunError('not-permitted', 'a certificate of this cluster is wanted: see mosconf join');
  });
  return sayWhatFailed(app);
}

type Environment = { Bindings: HttpBindings; Variables: { peer: string } };

function nodesApp(services: PeerServices): RequestListener {
  const app = new Hono<Environment>();

  app.use(async (context, next) => {
    const peer = holder(context.env.incoming.socket)?.name ?? '';
    if (!services.knows(peer)) {
      throw new MosrunError('not-permitted', `this node does not know a node called "${peer}": add it to mosrun.toml`);
    }
    context.set('peer', peer);
    services.heardFrom(peer, context.env.incoming.socket);
    await next();
  });

  app.use(
    bodyLimit({
      maxSize: LONGEST_BODY_BYTES,
      onError: () => {
        throw new MosrunError('usage', `the request is longer than ${LONGEST_BODY_BYTES} bytes: compare the versions of mosrun`);
      },
    }),
  );

  app.get('/v1/list', (context) => {
    const list = services.list();
    if (!list) throw new MosrunError('not-found', 'this node has no list but its configuration');
    return context.json(list);
  });

  app.get('/v1/heartbeat', (context) => context.json(services.heartbeat()));

  const requestOf = async (context: Context<Environment>): Promise<SessionRequest> => {
    const parsed = sessionRequest.safeParse(await context.req.json().catch(() => null));
    if (!parsed.success)
      throw new MosrunError('usage', 'the request for a session is not understood: compare the versions of mosrun');
    if (parsed.data.home !== context.var.peer) {
      throw new MosrunError('not-permitted', `${context.var.peer} asks in the name of ${parsed.data.home}`);
    }
    return parsed.data;
  };

  app.post('/v1/sessions', async (context) => context.json(await services.openSession(await requestOf(context))));

  app.post('/v1/admissions', async (context) => context.json({ refusal: services.refusal(await requestOf(context)) }));

  app.get('/v1/sessions', async (context) => context.json({ processes: await services.processUsages(context.var.peer) }));

  app.get('/v1/sessions/:session', async (context) =>
    context.json(await services.sessionUsage(context.var.peer, context.req.param('session'))),
  );

  app.post('/v1/recalls', async (context) => {
    const parsed = recall.safeParse(await context.req.json().catch(() => null));
    if (!parsed.success) throw new MosrunError('usage', 'the request is not understood: compare the versions of mosrun');
    return context.json({ results: await services.recall(context.var.peer, parsed.data.sessions) });
  });

  app.post('/v1/goodbye', (context) => {
    services.goodbye(context.var.peer);
    return context.json({});
  });

  app.delete('/v1/sessions/:session', async (context) =>
    context.json({ dropped: await services.dropSession(context.var.peer, context.req.param('session')) }),
  );

  app.post('/v1/sessions/:session/link', async (context) => {
    const parsed = linkRequest.safeParse(await context.req.json().catch(() => null));
    if (!parsed.success)
      throw new MosrunError('usage', 'the request for a channel is not understood: compare the versions of mosrun');
    await services.link(context.var.peer, context.req.param('session'), parsed.data);
    return context.json({ linked: true });
  });

  app.notFound((context) =>
    context.json(
      { version: DOCUMENT_VERSION, error: { code: 'not-found', message: 'unknown request: compare the versions of mosrun' } },
      404,
    ),
  );
  return sayWhatFailed(app);
}

function toolOf(socket: Socket): Caller {
  const { name = '', role } = holder(socket) ?? {};
  return { name: `tool ${name}`, uid: null, operates: role === 'operator', seesAll: true };
}

export function peerServer(credentials: Credentials, services: PeerServices, handlers: Handlers): Server {
  const forNodes = nodesApp(services);
  const forTools = httpApi(handlers, toolOf);
  const forStrangers = strangersApp(services);
  const server = createServer(
    {
      ...serverTimes,
      ca: credentials.ca,
      // With the authority's: who joins knows that one by its fingerprint.
      cert: credentials.certificate + credentials.ca,
      key: credentials.key,
      requestCert: true,
      rejectUnauthorized: false,
      secureOptions: constants.SSL_OP_NO_TICKET,
      minVersion: 'TLSv1.3',
      handshakeTimeout: 5000,
    },
    (incoming, outgoing) => {
      const who = holder(incoming.socket);
      (who === null ? forStrangers : who.role === 'node' ? forNodes : forTools)(incoming, outgoing);
    },
  );
  const connections = new Connections(server);
  server.on('connection', (socket: Socket) => {
    connections.admit(socket, socket.remoteAddress ?? '');
  });
  const strangers = new Set<Socket>();
  server.on('secureConnection', (socket) => {
    if (holder(socket) !== null) return;
    if (strangers.size >= STRANGERS_MAX || !services.strangersAreExpected()) {
      socket.destroy();
      return;
    }
    strangers.add(socket);
    const timer = setTimeout(() => socket.destroy(), STRANGER_SECONDS * 1000);
    socket.once('close', () => {
      clearTimeout(timer);
      strangers.delete(socket);
    });
  });
  return server;
}
