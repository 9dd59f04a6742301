/** The documents about nodes: what each tells of itself, as it has reached the one that is asked. */
import * as z from 'zod';
import { DOCUMENT_VERSION } from './version.js';

const version = z.literal(DOCUMENT_VERSION);

export const nodeDocument = z.object({
  name: z.string().meta({ description: 'of another cluster with that behind it: `node3@physics`' }),
  number: z.int().meta({ description: 'within its cluster' }),
  cluster: z.string(),
  partner: z.boolean().meta({ description: 'it is of another cluster' }),
  labels: z.array(z.string()),
  address: z.string(),
  control_port: z.int().meta({ description: 'where other nodes and tools ask it' }),
  state: z.enum(['up', 'down', 'leaving', 'blocked']),
  self: z.boolean(),
  why: z.string().nullable().meta({ description: 'why it is not up' }),
  last_seen_seconds: z.number().nullable().meta({ description: 'age of the last sign of life; null: none yet' }),
  cpus: z.number().nullable(),
  load: z.number().nullable().meta({ description: 'processors busy, on average over the last seconds' }),
  runnable: z.number().nullable().meta({ description: 'threads that run or want to, on average over the last seconds' }),
  speed: z.number().nullable().meta({ description: 'of a core; 10000: the standard one' }),
  memory_bytes: z.number().nullable(),
  memory_free_bytes: z.number().nullable(),
  swap_bytes: z.number().nullable().meta({ description: 'swap space it may use; 0: it has none' }),
  swap_free_bytes: z.number().nullable(),
  guests: z.int().nullable(),
  frozen: z.int().nullable().meta({ description: 'processes whose home it is, kept on its disk' }),
  clock_offset_seconds: z
    .number()
    .nullable()
    .meta({ description: "its clock less this node's, as found out when they talk to each other; null: they have not yet" }),
  kernel: z.string().nullable(),
  mosrun_version: z.string().nullable(),
});
export type NodeDocument = z.infer<typeof nodeDocument>;

export const nodesDocument = z.object({ version, nodes: z.array(nodeDocument) });

/** Of mosmon --once. */
export const monitorDocument = nodesDocument.extend({
  totals: z
    .object({
      nodes: z.int(),
      up: z.int(),
      cpus: z.number(),
      runnable: z.number(),
      memory_bytes: z.number(),
      memory_free_bytes: z.number(),
      swap_bytes: z.number(),
      swap_free_bytes: z.number(),
      guests: z.int(),
      frozen: z.int(),
    })
    .meta({ description: 'of all nodes that are not down; `nodes` counts all' }),
});
export type NodesDocument = z.infer<typeof nodesDocument>;
