/** The API as a web application: what the table of routes says is checked here, what is then done the handlers know. */
import { type HttpBindings, getRequestListener } from '@hono/node-server';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type * as z from 'zod';
import { complaints } from '../shared/complaints.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { type Answer, type Checked, type Route, type RouteName, routes } from '../shared/routes.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import { type Caller, checkPermission } from './permission.js';

export type Handlers = {
  [R in RouteName]: (request: Checked<R> & { caller: Caller }) => Answer<R> | Promise<Answer<R>>;
};

type Environment = { Bindings: HttpBindings };
type Parts = Partial<Record<'params' | 'query' | 'headers' | 'body', Record<string, unknown>>>;

const LONGEST_BODY_BYTES = 64 * 1024;
const STUCK_SECONDS = 60;

function check(schema: z.ZodObject | undefined, given: unknown, where: string): Record<string, unknown> {
  if (!schema) return {};
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new MosrunError('usage', `the request is not understood: ${where}: ${complaints(parsed.error.issues)}`);
}

/** A form of another web page cannot have this type: whoever has a tool's certificate in the browser is not made to order anything. */
async function bodyOf(context: Context): Promise<unknown> {
  if (!/^application\/json\b/.test(context.req.header('content-type') ?? '')) {
    throw new MosrunError('usage', 'the request is not understood: its content-type must be application/json');
  }
  return context.req.json().catch(() => {
    throw new MosrunError('usage', 'the request is not understood: its body is no JSON');
  });
}

async function partsOf(route: Route, context: Context): Promise<Parts> {
  return {
    params: check(route.params, context.req.param(), 'path'),
    query: check(route.query, context.req.query(), 'query'),
    headers: check(route.headers, context.req.header(), 'headers'),
    body: route.body ? check(route.body, await bodyOf(context), 'body') : {},
  };
}

/** @param callerOf who is at the other end of a connection; throws where that is not known. */
export function httpApi(handlers: Handlers, callerOf: (socket: Socket) => Caller): RequestListener {
  const app = new Hono<Environment>();
  const tooLong = new MosrunError('usage', `the request is longer than ${LONGEST_BODY_BYTES} bytes: send less`);
  app.use(
    bodyLimit({
      maxSize: LONGEST_BODY_BYTES,
      onError: () => {
        throw tooLong;
      },
    }),
  );

  app.use(async (context, next) => {
    // Hono would answer it as GET and leave the body, which of a stream nobody then ends.
    if (context.req.method === 'HEAD') throw new MosrunError('usage', 'HEAD is not served: use GET');
    await next();
  });

  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const [method = '', path = ''] = name.split(' ');
    const handler = handlers[name] as (request: Parts & { caller: Caller }) => unknown;
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) => {
      const caller = callerOf(context.env.incoming.socket);
      const parts = await partsOf(route, context);
      checkPermission(route.permission, caller, parts.params?.pid as number | undefined);
      const answer = await handler({ ...parts, caller });
      if ('document' in route.answer) return context.json(answer as object);
      // A stream says something now and then: a connection that takes nothing for so long has a reader that is gone.
      if (answer instanceof ReadableStream) context.env.incoming.socket.setTimeout(STUCK_SECONDS * 1000);
      return context.body(answer as string | ReadableStream, 200, { 'content-type': route.answer.media });
    });
  }

  app.notFound((context) => {
    const message = `the API has no ${context.req.method} ${context.req.path}: see /v1/openapi.json`;
    return context.json({ version: DOCUMENT_VERSION, error: { code: 'not-found', message } }, 404);
  });
  app.onError((thrown, context) => {
    const error = asMosrunError(thrown);
    return context.json({ version: DOCUMENT_VERSION, error: error.toDocument() }, error.httpStatus);
  });

  const listener = getRequestListener((request, env) => app.fetch(request, env));
  return (incoming, outgoing) => void listener(incoming, outgoing);
}
