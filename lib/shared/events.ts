/** What a daemon tells as it happens: one row for each type of event, from which schemas, types and documentation come. */
import * as z from 'zod';
import { DOCUMENT_VERSION } from './version.js';

const pid = z.int();
const uid = z.int().nullable().meta({ description: "the process's real user; null: not known any more" });
const command = z.string().meta({ description: 'the command line; of a longer one the first 4096 characters' });
const node = { name: z.string(), state: z.enum(['up', 'down', 'leaving', 'blocked']), why: z.string().nullable() };
const job = { job: z.string().nullable().meta({ description: 'the id given by -J' }), job_number: z.int() };
const move = { pid, uid, from: z.string(), to: z.string(), reason: z.string().meta({ description: 'who or what asked for it' }) };
const home = { home: z.string(), home_pid: pid, uid: z.int(), command };
const guest = { session: z.string(), ...home };

interface Kind {
  when: string;
  fields: z.ZodRawShape;
}

export const eventKinds = {
  'process-started': { when: 'mosrun has started a program', fields: { pid, uid, command, ...job } },
  'process-ended': {
    when: 'a program started by mosrun has ended, and so have all its descendants',
    fields: { pid, uid, ...job, elapsed_seconds: z.number() },
  },
  'migration-started': { when: 'a process is about to be moved', fields: move },
  'migration-finished': {
    when: 'it was moved',
    fields: {
      ...move,
      freeze_seconds: z.number().nullable(),
      total_seconds: z.number().nullable(),
      bytes: z.number().nullable(),
    },
  },
  'migration-failed': {
    when: 'it was not moved, and runs on where it was',
    fields: { ...move, code: z.string(), message: z.string() },
  },
  'came-home': {
    when: 'a process came home by itself, for a call that cannot be served away',
    fields: { pid, uid, from: z.string(), call: z.string(), freeze_seconds: z.number().nullable() },
  },
  'guest-arrived': { when: 'a process of another node runs here now', fields: guest },
  'guest-left': { when: 'it has ended or gone elsewhere', fields: guest },
  'guest-refused': {
    when: 'this node has not taken a process',
    fields: { ...home, reason: z.string().meta({ description: 'a word, as in the metrics' }), message: z.string() },
  },
  'guest-must-leave': {
    when: 'a guest is told to leave, to another node or home',
    fields: { ...guest, reason: z.string() },
  },
  'connection-refused': {
    when: 'somebody who is not known has come to the control port; of one that comes again and again once a minute',
    fields: {
      cluster: z.string().nullable(),
      node: z.string().nullable(),
      fingerprint: z.string().nullable().meta({ description: "of its authority's certificate" }),
      address: z.string(),
      why: z.string(),
      count: z.int(),
    },
  },
  'node-up': { when: 'a node has given a sign of life', fields: node },
  'node-down': { when: 'a node gives no sign of life any more', fields: node },
  'node-changed': { when: 'a node that is there has another state than before, or was started again', fields: node },
  'configuration-read': { when: 'the configuration was read again', fields: { file: z.string() } },
  'configuration-wrong': { when: 'it is wrong, and the old one stays', fields: { file: z.string(), message: z.string() } },
  'events-missed': {
    when: 'some events before this one cannot be told any more: ask anew for what matters',
    fields: { message: z.string() },
  },
  'stream-ended': {
    when: 'the last event of a stream whose reader was too slow, or whose daemon ends',
    fields: { message: z.string() },
  },
} as const satisfies Record<string, Kind>;

export type EventKinds = typeof eventKinds;
export type EventType = keyof EventKinds;
/** What an event of this type tells beside what all do. */
export type EventFields<T extends EventType> = z.infer<z.ZodObject<EventKinds[T]['fields']>>;

export type Event<T extends EventType = EventType> = {
  [Type in T]: {
    version: typeof DOCUMENT_VERSION;
    /** Where a stream can be taken up again. */
    id: string;
    /** Seconds since 1970. */
    at: number;
    /** The node that tells it. */
    node: string;
    type: Type;
  } & EventFields<Type>;
}[T];

const common = {
  version: z.literal(DOCUMENT_VERSION),
  id: z.string().meta({ description: 'where a stream can be taken up again (Last-Event-ID)' }),
  at: z.number().meta({ description: 'seconds since 1970' }),
  node: z.string().meta({ description: 'the node that tells it' }),
};

export const eventDocument = z.union(
  Object.entries(eventKinds).map(([type, { when, fields }]) =>
    z.object({ ...common, type: z.literal(type), ...fields }).meta({ description: when }),
  ),
);
