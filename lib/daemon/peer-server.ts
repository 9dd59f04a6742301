/** What this node answers to other nodes: signs of life and sessions, over TLS with certificates of the cluster. */
import { type Server, createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type HttpBindings, getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Credentials } from '../cluster/index.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { type Heartbeat, type SessionAnswer, type SessionRequest, sessionRequest } from '../shared/wire.js';

export interface PeerServices {
  /** Is there a node of that name in our list? */
  knows(node: string): boolean;
  heardFrom(node: string): void;
  heartbeat(): Heartbeat;
  openSession(request: SessionRequest): Promise<SessionAnswer>;
  /** Nobody will come for it; false when this home has no such session. */
  dropSession(home: string, session: string): Promise<boolean>;
}

type Environment = { Bindings: HttpBindings; Variables: { peer: string } };

export function peerServer(credentials: Credentials, services: PeerServices): Server {
  const app = new Hono<Environment>();

  app.use(async (context, next) => {
    const socket = context.env.incoming.socket as TLSSocket;
    const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined;
    const peer = subject?.CN ?? '';
    if (!services.knows(peer)) {
      throw new MosrunError('not-permitted', `this node does not know a node called "${peer}": add it to mosrun.toml`);
    }
    context.set('peer', peer);
    services.heardFrom(peer);
    await next();
  });

  app.get('/v1/heartbeat', (context) => context.json(services.heartbeat()));

  app.post('/v1/sessions', async (context) => {
    const parsed = sessionRequest.safeParse(await context.req.json().catch(() => null));
    if (!parsed.success)
      throw new MosrunError('usage', 'the request for a session is not understood: compare the versions of mosrun');
    if (parsed.data.home !== context.var.peer) {
      throw new MosrunError('not-permitted', `${context.var.peer} asks in the name of ${parsed.data.home}`);
    }
    return context.json(await services.openSession(parsed.data));
  });

  app.delete('/v1/sessions/:session', async (context) =>
    context.json({ dropped: await services.dropSession(context.var.peer, context.req.param('session')) }),
  );

  app.notFound((context) =>
    context.json(
      { version: DOCUMENT_VERSION, error: { code: 'not-found', message: 'unknown request: compare the versions of mosrun' } },
      404,
    ),
  );
  app.onError((thrown, context) => {
    const error = asMosrunError(thrown);
    return context.json({ version: DOCUMENT_VERSION, error: error.toDocument() }, error.httpStatus);
  });

  const listener = getRequestListener((request, env) => app.fetch(request, env));
  return createServer(
    {
      ca: credentials.ca,
      cert: credentials.certificate,
      key: credentials.key,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      handshakeTimeout: 5000,
      keepAliveTimeout: 30_000,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
}
