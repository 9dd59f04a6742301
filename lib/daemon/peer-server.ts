/**
 * What this node answers over TLS to holders of a certificate of the cluster: to nodes signs of life and sessions, to tools the API. Which of
 * both is asked follows from the certificate alone: no node can order by it what a tool may, nor a tool open a session. Nodes of other clusters that
 * this one knows are answered as nodes; one of a cluster that it does not know is told so. A machine without a certificate is listened to only while
 * an invitation is open, and only about that.
 */
import { constants } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { type HttpBindings, getRequestListener } from '@hono/node-server';
import { type Context, type Env, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { type Credentials, type Introduction, type NodeList, type Peer, clusterOf, nameIn, ownNameOf } from '../cluster/index.js';
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

type Foreign = Extract<Peer, { kind: 'foreign' }>;

/** A name of a node of another cluster has that cluster behind it (lib/cluster/names.ts); so has the home of a request from there. */
export interface PeerServices {
  identify(socket: Socket): Peer;
  /** Is there a node of that name in our list? Of another cluster every node with its certificate is one. */
  knows(node: string): boolean;
  /** Why a node of a cluster that nobody has configured is not answered; null: it is. */
  whyUnknown(peer: Foreign, address: string): string | null;
  /** Somebody was not answered, and why; null: it had no certificate. */
  turnedAway(who: Peer, address: string, why: string | null): void;
  /** It has asked something, on this connection. */
  heardFrom(node: string, socket: Socket): void;
  /** @param cluster that is told; null: the own. */
  heartbeat(cluster: string | null): Heartbeat;
  /** This cluster's nodes, for another. */
  introduce(): Introduction;
  /** Would it be taken? The answer is a reason, or null. */
  refusal(request: SessionRequest): string | null;
  /** @param address from which it is asked. */
  openSession(request: SessionRequest, address: string): Promise<SessionAnswer>;
  /** Nobody will come for it; false when this home has no such session. */
  dropSession(home: string, session: string): Promise<boolean>;
  /** Brings this node's processes home that are in these sessions of the peer. */
  recall(peer: string, sessions: readonly string[], reason: string | null): Promise<RecallResult[]>;
  /** It goes. */
  goodbye(peer: string): void;
  /** What a session of that home has used; throws when there is none, or it ended long ago. */
  sessionUsage(home: string, session: string): Promise<SessionUsage>;
  /** What each process of that home that runs here has used. @param sessions of these alone; null: of all. */
  processUsages(home: string, sessions: readonly string[] | null): Promise<ProcessUsage[]>;
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

/** The node of that certificate, as this cluster names it; null: it is none, or of nobody that may ask. */
function nodeOf(peer: Peer): string | null {
  if (peer.kind === 'own') return peer.holder.role === 'node' ? peer.holder.name : null;
  return peer.kind === 'stranger' ? null : nameIn(peer.node, peer.cluster);
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

/** To nodes of a cluster that this one does not know: who they are, so that they can be made known, and nothing else. */
function foreignersApp(services: PeerServices): RequestListener {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.all('*', (context) => {
    const { socket } = context.env.incoming;
    const peer = services.identify(socket);
    const address = socket.remoteAddress ?? '';
    const why = peer.kind === 'foreign' ? services.whyUnknown(peer, address) : null;
    services.turnedAway(peer, address, why);
    context.header('connection', 'close');
    throw new MosrunError('not-permitted', why ?? 'ask again: who this is has changed meanwhile');
  });
  return sayWhatFailed(app);
}

type Environment = { Bindings: HttpBindings; Variables: { peer: string } };

function nodesApp(services: PeerServices): RequestListener {
  const app = new Hono<Environment>();

  app.use(async (context, next) => {
    const peer = nodeOf(services.identify(context.env.incoming.socket)) ?? '';
    if (clusterOf(peer) === null && !services.knows(peer)) {
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
    if (clusterOf(context.var.peer) !== null)
      throw new MosrunError('not-permitted', 'the list of nodes is for this cluster alone: ask for /v1/cluster');
    const list = services.list();
    if (!list) throw new MosrunError('not-found', 'this node has no list but its configuration');
    return context.json(list);
  });

  app.get('/v1/cluster', (context) => context.json(services.introduce()));

  app.get('/v1/heartbeat', (context) => context.json(services.heartbeat(clusterOf(context.var.peer))));

  const requestOf = async (context: Context<Environment>): Promise<SessionRequest> => {
    const parsed = sessionRequest.safeParse(await context.req.json().catch(() => null));
    if (!parsed.success)
      throw new MosrunError('usage', 'the request for a session is not understood: compare the versions of mosrun');
    if (parsed.data.home !== ownNameOf(context.var.peer)) {
      throw new MosrunError('not-permitted', `${context.var.peer} asks in the name of ${parsed.data.home}`);
    }
    return { ...parsed.data, home: context.var.peer };
  };

  app.post('/v1/sessions', async (context) =>
    context.json(await services.openSession(await requestOf(context), context.env.incoming.socket.remoteAddress ?? '')),
  );

  app.post('/v1/admissions', async (context) => context.json({ refusal: services.refusal(await requestOf(context)) }));

  app.get('/v1/sessions', async (context) => {
    const sessions = context.req.query('sessions')?.split(',') ?? null;
    return context.json({ processes: await services.processUsages(context.var.peer, sessions) });
  });

  app.get('/v1/sessions/:session', async (context) =>
    context.json(await services.sessionUsage(context.var.peer, context.req.param('session'))),
  );

  app.post('/v1/recalls', async (context) => {
    const parsed = recall.safeParse(await context.req.json().catch(() => null));
    if (!parsed.success) throw new MosrunError('usage', 'the request is not understood: compare the versions of mosrun');
    return context.json({
      results: await services.recall(context.var.peer, parsed.data.sessions, parsed.data.reason),
    });
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

/** @param partners as of {@link contextOf}. */
export function peerServer(
  credentials: Credentials,
  partners: readonly string[],
  services: PeerServices,
  handlers: Handlers,
): Server {
  const toolOf = (socket: Socket): Caller => {
    const peer = services.identify(socket);
    const { name = '', role = null } = peer.kind === 'own' ? peer.holder : {};
    return { name: `tool ${name}`, uid: null, operates: role === 'operator', seesAll: true };
  };
  const forNodes = nodesApp(services);
  const forTools = httpApi(handlers, toolOf);
  const forForeigners = foreignersApp(services);
  const forStrangers = strangersApp(services);
  const appFor = (socket: Socket): RequestListener => {
    const peer = services.identify(socket);
    if (peer.kind === 'own') return peer.holder.role === 'node' ? forNodes : forTools;
    if (peer.kind === 'stranger') return forStrangers;
    const isAnswered = peer.kind === 'partner' || services.whyUnknown(peer, socket.remoteAddress ?? '') === null;
    return isAnswered ? forNodes : forForeigners;
  };
  const server = createServer(
    {
      ...serverTimes,
      ...contextOf(credentials, partners),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: 5000,
    },
    (incoming, outgoing) => {
      appFor(incoming.socket)(incoming, outgoing);
    },
  );
  const connections = new Connections(server);
  server.on('connection', (socket: Socket) => {
    connections.admit(socket, socket.remoteAddress ?? '');
  });
  // Those who may join do not wait for those who are only told that they are not known.
  const strangers = new Set<Socket>();
  const foreigners = new Set<Socket>();
  const keep = (few: Set<Socket>, socket: Socket): void => {
    few.add(socket);
    const timer = setTimeout(() => socket.destroy(), STRANGER_SECONDS * 1000);
    socket.once('close', () => {
      clearTimeout(timer);
      few.delete(socket);
    });
  };
  server.on('secureConnection', (socket) => {
    const peer = services.identify(socket);
    const address = socket.remoteAddress ?? '';
    if (peer.kind === 'own' || peer.kind === 'partner') return;
    const why = peer.kind === 'foreign' ? services.whyUnknown(peer, address) : peer.why;
    if (peer.kind === 'foreign' && why === null) return;
    // The others are counted when they ask.
    if (peer.kind === 'stranger') services.turnedAway(peer, address, why);
    const few = peer.kind === 'foreign' ? foreigners : strangers;
    if (few.size >= STRANGERS_MAX || (peer.kind === 'stranger' && !services.strangersAreExpected())) socket.destroy();
    else keep(few, socket);
  });
  return server;
}

/** @param partners whose nodes are listened to: certificates of their authorities, PEM. */
export const contextOf = ({ ca, certificate, key }: Credentials, partners: readonly string[]): SecureContextOptions => ({
  ca: [ca, ...partners],
  // With the authority's: who joins knows that one by its fingerprint.
  cert: certificate + ca,
  key,
  secureOptions: constants.SSL_OP_NO_TICKET,
  minVersion: 'TLSv1.3',
});
