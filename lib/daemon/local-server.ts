/** The API on the unix socket: who asks is known by the kernel (SO_PEERCRED), what he may do follows from that. */
import { type Server, createServer } from 'node:http';
import type { Socket } from 'node:net';
import { type HttpBindings, getRequestListener } from '@hono/node-server';
import { OpenAPIHono, createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import type { PeerCredentials } from '../engine/index.js';
import {
  type DoctorDocument,
  type MigrationDocument,
  type NodesDocument,
  type ProcessDetailDocument,
  type ProcessesDocument,
  type StatusDocument,
  doctorDocument,
  errorDocument,
  migrationDocument,
  nodesDocument,
  processDetailDocument,
  processesDocument,
  statusDocument,
} from '../shared/documents.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION, VERSION } from '../shared/version.js';

export interface LocalServices {
  status(): Promise<StatusDocument>;
  nodes(): NodesDocument;
  processes(): Promise<ProcessesDocument>;
  process(pid: number): Promise<ProcessDetailDocument>;
  migrate(peer: PeerCredentials, pid: number, to: string, wait: boolean): Promise<MigrationDocument>;
  doctor(): DoctorDocument;
}

type Environment = { Bindings: HttpBindings };

const json = <T extends z.ZodType>(schema: T, description: string) => ({
  content: { 'application/json': { schema } },
  description,
});
const failures = { default: json(errorDocument, 'what went wrong, with its stable code') };
const pidParameter = z.object({ pid: z.coerce.number().pipe(z.int().positive()) });
const migrateBody = z.object({
  to: z.string().meta({ description: 'a node by name, address or number; home; out (the best other node)' }),
  wait: z.boolean().default(false),
});

const routes = {
  status: createRoute({
    method: 'get',
    path: '/v1/status',
    responses: { 200: json(statusDocument, 'this daemon'), ...failures },
  }),
  nodes: createRoute({
    method: 'get',
    path: '/v1/nodes',
    responses: { 200: json(nodesDocument, 'the nodes of the cluster'), ...failures },
  }),
  processes: createRoute({
    method: 'get',
    path: '/v1/processes',
    responses: { 200: json(processesDocument, 'the processes that live here, and the guests'), ...failures },
  }),
  process: createRoute({
    method: 'get',
    path: '/v1/processes/{pid}',
    request: { params: pidParameter },
    responses: { 200: json(processDetailDocument, 'one process, where it ran, and what keeps it from moving'), ...failures },
  }),
  migrate: createRoute({
    method: 'post',
    path: '/v1/processes/{pid}/migrate',
    request: { params: pidParameter, body: { content: { 'application/json': { schema: migrateBody } }, required: true } },
    responses: { 200: json(migrationDocument, 'what was done; with wait, when it is over'), ...failures },
  }),
  doctor: createRoute({
    method: 'get',
    path: '/v1/doctor',
    responses: { 200: json(doctorDocument, 'what this node has'), ...failures },
  }),
};

/** A socket's descriptor: Node shows it nowhere in its public interface, and the kernel tells the peer only by it. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } | null };
  if (!handle || handle.fd < 0) throw new MosrunError('failed', 'the connection is closed');
  return handle.fd;
}

export type Identify = (descriptor: number) => PeerCredentials;

export function peerOf(socket: Socket, identify: Identify): PeerCredentials {
  return identify(descriptorOf(socket));
}

export function localServer(services: LocalServices, identify: Identify): Server {
  // Who connected is asked once, at the start: later the process may be another.
  const peers = new WeakMap<Socket, PeerCredentials>();

  const app = new OpenAPIHono<Environment>({
    defaultHook: (result) => {
      if (!result.success) throw new MosrunError('usage', `the request is not understood: ${z.prettifyError(result.error)}`);
    },
  });

  app.openapi(routes.status, async (context) => context.json(await services.status(), 200));
  app.openapi(routes.nodes, (context) => context.json(services.nodes(), 200));
  app.openapi(routes.processes, async (context) => context.json(await services.processes(), 200));
  app.openapi(routes.process, async (context) => context.json(await services.process(context.req.valid('param').pid), 200));
  app.openapi(routes.migrate, async (context) => {
    const peer = peers.get(context.env.incoming.socket);
    if (!peer) throw new MosrunError('not-permitted', 'it is not known who asks: connect again');
    const { to, wait } = context.req.valid('json');
    return context.json(await services.migrate(peer, context.req.valid('param').pid, to, wait), 200);
  });
  app.openapi(routes.doctor, (context) => context.json(services.doctor(), 200));
  app.doc31('/v1/openapi.json', { openapi: '3.1.0', info: { title: 'mosrun', version: VERSION } });

  app.notFound((context) =>
    context.json(
      {
        version: DOCUMENT_VERSION,
        error: { code: 'not-found', message: `the API has no ${context.req.path}: see /v1/openapi.json` },
      },
      404,
    ),
  );
  app.onError((thrown, context) => {
    const error = asMosrunError(thrown);
    return context.json({ version: DOCUMENT_VERSION, error: error.toDocument() }, error.httpStatus);
  });

  const listener = getRequestListener((request, env) => app.fetch(request, env));
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  server.on('connection', (socket: Socket) => {
    try {
      peers.set(socket, peerOf(socket, identify));
    } catch {
      socket.destroy();
    }
  });
  return server;
}
