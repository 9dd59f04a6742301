/** The API's description as OpenAPI 3.1, whose schemas are JSON Schema 2020-12, as zod writes it. */
import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import * as documents from '../shared/documents.js';
import { type ErrorCode, errorKinds } from '../shared/errors.js';
import { eventDocument } from '../shared/events.js';
import { type Route, routes } from '../shared/routes.js';
import { VERSION } from '../shared/version.js';

type Json = Record<string, unknown>;

const reference = (name: string): string => `#/components/schemas/${name}`;
const named = z.registry<{ id: string }>();
for (const [name, schema] of Object.entries(documents)) {
  // processDocument is published as Process, historyEntry as HistoryEntry.
  const id = name.charAt(0).toUpperCase() + name.slice(1).replace(/Document$/, '');
  if (schema instanceof z.ZodType) named.add(schema, { id });
}
named.add(eventDocument, { id: 'Event' });

function components(): Json {
  const { schemas } = z.toJSONSchema(named, { uri: reference });
  return Object.fromEntries(Object.entries(schemas).map(([name, { $id: _id, $schema: _schema, ...rest }]) => [name, rest]));
}

/** A named schema is referred to, another is written out. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const id = named.get(schema)?.id;
  if (id !== undefined) return { $ref: reference(id) };
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, { io }) as Json;
  return rest;
}

function parameters(schema: z.ZodObject | undefined, place: 'path' | 'query' | 'header'): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, one]) => {
    const { description, ...rest } = schemaOf(one as z.ZodType);
    const required = place === 'path' || !(one as z.ZodType).safeParse(undefined).success;
    return { name, in: place, required, description, schema: rest };
  });
}

function failures(codes: readonly ErrorCode[]): Json {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of ['usage', 'not-permitted', 'failed', ...codes] as const) {
    const { http } = errorKinds[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), code]);
  }
  const content = { 'application/json': { schema: schemaOf(documents.errorDocument) } };
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [status, { description: `${STATUS_CODES[status]}: ${list.join(', ')}`, content }]),
  );
}

/** Who may make a request. */
export const permissions = {
  anyone: 'Every local user, every tool.',
  owner: 'Whoever may kill the process: its owner, root, a tool that operates.',
  operator: 'Root, and a tool that operates.',
} as const;

function operation(route: Route): Json {
  const { summary, permission, params, query, headers, body, answer, errors } = route;
  const asked = [...parameters(params, 'path'), ...parameters(query, 'query'), ...parameters(headers, 'header')];
  const success =
    'document' in answer
      ? { description: summary, content: { 'application/json': { schema: schemaOf(answer.document) } } }
      : {
          description: answer.description,
          content: { [answer.media]: { schema: answer.each ? schemaOf(answer.each) : { type: 'string' } } },
        };
  return {
    summary,
    description: permissions[permission],
    ...(asked.length > 0 ? { parameters: asked } : {}),
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } } : {}),
    responses: { 200: success, ...failures(errors) },
  };
}

export function openApiDocument(): Json & { openapi: string } {
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(routes)) {
    const [method = '', path = ''] = name.split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(route) };
  }
  const description =
    'One node of a mosrun cluster: on its unix socket for its users, on its control port for tools with a certificate.';
  return {
    openapi: '3.1.0',
    info: { title: 'mosrun', version: VERSION, description, license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: { schemas: components() },
  };
}
