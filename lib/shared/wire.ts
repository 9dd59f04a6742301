/** What nodes say to each other over mutual TLS: one schema each. */
import { z } from 'zod';

/** A sign of life, and what others decide by. */
export const heartbeat = z.object({
  protocol: z.int(),
  mosrun_version: z.string(),
  node: z.string(),
  number: z.int(),
  boot_id: z.string(),
  state: z.enum(['up', 'leaving', 'blocked']),
  kernel: z.string(),
  cpu_hash: z.string(),
  cpus: z.number(),
  load: z.number(),
  memory_bytes: z.number(),
  memory_free_bytes: z.number(),
  guests: z.int(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

/** May this process come to you? Asked before anything is stopped. */
export const sessionRequest = z.object({
  protocol: z.int(),
  home: z.string(),
  pid: z.int(),
  command: z.string(),
  uid: z.int(),
  threads: z.int(),
  memory_bytes: z.number(),
  kernel: z.string(),
  cpu_hash: z.string(),
  pid_max: z.int(),
});
export type SessionRequest = z.infer<typeof sessionRequest>;

export const sessionAnswer = z.object({
  session: z.string().regex(/^[0-9a-f]{16}$/),
  token: z.string().regex(/^[0-9a-f]{64}$/),
  address: z.string(),
  port: z.int(),
});
export const sessionDropped = z.object({ dropped: z.boolean() });

export type SessionAnswer = z.infer<typeof sessionAnswer>;
