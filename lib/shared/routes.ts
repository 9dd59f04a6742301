/**
 * The API: each request with what it takes, what it answers, who may make it and how it can fail. The daemon's routes, the OpenAPI document,
 * the tables of docs/api.md and the client's types come from here. The client takes types only, so that commands load no schemas.
 */
import * as z from 'zod';
import {
  bestNodeDocument,
  doctorDocument,
  callsDocument,
  explanationDocument,
  migrationDocument,
  nodesDocument,
  operationDocument,
  operationName,
  operationsDocument,
  processDetailDocument,
  processesDocument,
  settingsDocument,
  statusDocument,
  timesDocument,
  versionDocument,
} from './documents.js';
import type { ErrorCode } from './errors.js';
import { eventDocument } from './events.js';

/** `anyone`: every local user and every tool; `owner`: who may kill(2) the process named by `pid`; `operator`: root, and tools that operate. */
export type Permission = 'anyone' | 'owner' | 'operator';

export interface Route {
  /** What it gives or does, without full stop. */
  summary: string;
  permission: Permission;
  /** Words of the path, which stand there in braces. */
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** By their names in small letters. */
  headers?: z.ZodObject;
  body?: z.ZodObject;
  /** A JSON document, or a text of some media type. */
  answer: { document: z.ZodType } | { media: string; description: string /** What a stream consists of. */; each?: z.ZodType };
  /** Beside `usage`, `not-permitted` and `failed`, which any request may meet. */
  errors: readonly ErrorCode[];
}

const pid = z.coerce.number().pipe(z.int().positive()).meta({ description: 'of a process whose home is this node' });

/** What an order to a node may meet; the process then is where it was. */
const moveErrors = [
  'not-found',
  'unknown-node',
  'node-down',
  'unreachable',
  'timeout',
  'refused',
  'protocol',
  'busy',
  'cannot-move',
  'no-memory',
  'disk-full',
  'cut',
  'lost',
] as const satisfies ErrorCode[];

export const routes = {
  'GET /v1/version': {
    summary: 'which node this is, and of what version its daemon',
    permission: 'anyone',
    answer: { document: versionDocument },
    errors: [],
  },
  'GET /v1/status': {
    summary: 'the daemon: configuration and its error, data port, counts',
    permission: 'anyone',
    answer: { document: statusDocument },
    errors: [],
  },
  'GET /v1/nodes': {
    summary: 'the nodes of the cluster, as this one sees them',
    permission: 'anyone',
    answer: { document: nodesDocument },
    errors: [],
  },
  'GET /v1/best-node': {
    summary: 'where a program would be started now if nothing else were asked for, and why',
    permission: 'anyone',
    query: z.object({
      memory_bytes: z.coerce.number().nonnegative().default(0).meta({ description: 'what it is expected to need; 0: not known' }),
      abroad: z
        .enum(['true', 'false'])
        .default('false')
        .meta({ description: "it may go to other clusters, as an ordinary user's" }),
    }),
    answer: { document: bestNodeDocument },
    errors: [],
  },
  'GET /v1/processes': {
    summary: 'the processes whose home is this node, wherever they run, and the guests from other nodes',
    permission: 'anyone',
    answer: { document: processesDocument },
    errors: [],
  },
  'GET /v1/processes/{pid}': {
    summary: 'one process, where it ran, and what keeps it from moving',
    permission: 'anyone',
    params: z.object({ pid }),
    answer: { document: processDetailDocument },
    errors: ['not-found'],
  },
  'GET /v1/processes/{pid}/explanation': {
    summary: 'why a process is where it is, what keeps it from moving, and which nodes would take it',
    permission: 'anyone',
    params: z.object({ pid }),
    answer: { document: explanationDocument },
    errors: ['not-found'],
  },
  'GET /v1/processes/{pid}/calls': {
    summary: 'where the time of a process that is away goes, by its system calls',
    permission: 'anyone',
    params: z.object({ pid }),
    answer: { document: callsDocument },
    errors: ['not-found'],
  },
  'GET /v1/processes/{pid}/times': {
    summary: 'CPU time of a process on its home-node and on every node it has been to',
    permission: 'anyone',
    params: z.object({ pid }),
    answer: { document: timesDocument },
    errors: ['not-found'],
  },
  'POST /v1/processes/{pid}/migrate': {
    summary: 'moves a process',
    permission: 'owner',
    params: z.object({ pid }),
    body: z.object({
      to: z.string().meta({
        description:
          'a node by name, address or number; `home`; `out` (the best other node); `freeze` (to disk); `continue` (from there)',
      }),
      wait: z.boolean().default(false).meta({ description: 'answer when it is over, not when the order is taken' }),
    }),
    answer: { document: migrationDocument },
    errors: moveErrors,
  },
  'POST /v1/settings': {
    summary: 'changes what this node does with processes; what is not named stays',
    permission: 'operator',
    body: z.object({
      blocked: z.boolean().optional().meta({ description: 'take no guests' }),
      stay: z.boolean().optional().meta({ description: 'no process leaves by itself' }),
      local_stay: z.boolean().optional().meta({ description: 'own processes do not leave by themselves' }),
      isolated: z.boolean().optional().meta({
        description: 'take no guests of other clusters, and send nobody there; isolate does that and empties the node of them',
      }),
      grid_closed: z.boolean().optional().meta({ description: 'take no guests of other clusters' }),
      grid_guests: z
        .int()
        .nonnegative()
        .nullable()
        .optional()
        .meta({ description: 'take no more guests of other clusters; null: as many as of the own' }),
      priorities: z
        .record(z.string(), z.int().min(1).max(65_534).nullable())
        .optional()
        .meta({ description: "of partners' processes here, lower is better; null: as in the partner's file" }),
    }),
    answer: { document: settingsDocument },
    errors: [],
  },
  'GET /v1/operations': {
    summary: 'how far the operations on many processes are: the last of each kind',
    permission: 'anyone',
    answer: { document: operationsDocument },
    errors: [],
  },
  'POST /v1/operations/{operation}': {
    summary: 'begins an operation on many processes, or joins the one under way; it goes on whoever waits',
    permission: 'operator',
    params: z.object({
      operation: operationName.meta({
        description:
          'expel: all guests away, to other nodes or home; bring: all own processes home; isolate: both, as far as other clusters are concerned, and nothing goes between them from then on; shutdown: both, and then the daemon ends',
      }),
    }),
    answer: { document: operationDocument },
    errors: ['busy'],
  },
  'GET /v1/doctor': {
    summary: 'what this node has of what mosrun needs, and what is lost without the rest',
    permission: 'anyone',
    answer: { document: doctorDocument },
    errors: [],
  },
  'GET /v1/events': {
    summary:
      'what happens, as it happens: server-sent events, each with one event as its data; a user sees those of nodes and of own processes',
    permission: 'anyone',
    headers: z.object({
      'last-event-id': z
        .string()
        .max(64)
        .optional()
        .meta({ description: 'go on after this event; `0`: from the oldest that is remembered. Otherwise from now on' }),
    }),
    answer: { media: 'text/event-stream', description: 'a stream without end', each: eventDocument },
    errors: [],
  },
  'GET /metrics': {
    summary: 'what this node counts and measures, for Prometheus',
    permission: 'anyone',
    answer: { media: 'text/plain; version=0.0.4; charset=utf-8', description: 'the text format 0.0.4 of Prometheus' },
    errors: [],
  },
  'GET /v1/openapi.json': {
    summary: 'this API as an OpenAPI 3.1 document',
    permission: 'anyone',
    answer: { document: z.looseObject({ openapi: z.string() }) },
    errors: [],
  },
} as const satisfies Record<`${'GET' | 'POST' | 'PUT' | 'DELETE'} /${string}`, Route>;

export type Routes = typeof routes;
export type RouteName = keyof Routes;

type Part<R, K extends string, Direction extends 'input' | 'output'> =
  R extends Record<K, infer S extends z.ZodType> ? Record<K, Direction extends 'input' ? z.input<S> : z.output<S>> : unknown;

/** What a client sends: path words, query and body, each where the route has it. */
export type Question<R extends RouteName> = Part<Routes[R], 'query', 'input'> &
  Part<Routes[R], 'body', 'input'> &
  (Routes[R] extends { params: infer P extends z.ZodObject } ? { params: Record<keyof P['shape'], string | number> } : unknown);

/** What the daemon gets of it: checked, with defaults filled in. */
export type Checked<R extends RouteName> = Part<Routes[R], 'params', 'output'> &
  Part<Routes[R], 'query', 'output'> &
  Part<Routes[R], 'headers', 'output'> &
  Part<Routes[R], 'body', 'output'>;

/** A text may come bit by bit. */
export type Answer<R extends RouteName> = Routes[R]['answer'] extends { document: infer S extends z.ZodType }
  ? z.infer<S>
  : string | ReadableStream<Uint8Array>;
