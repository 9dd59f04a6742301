/** What nodes say to each other over mutual TLS: one schema each. */
import * as z from 'zod';

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
  /** Swap space it may use, and what of it is free; null: a node of an earlier version. */
  swap_bytes: z.number().nonnegative().nullable().default(null),
  swap_free_bytes: z.number().nonnegative().nullable().default(null),
  /** Processes of its own whose memory is on its disk; null: a node of an earlier version. */
  frozen: z.int().nonnegative().nullable().default(null),
  /** Threads that run or want to, on average over the last seconds; null: a node of an earlier version. */
  runnable: z.number().nonnegative().nullable().default(null),
  /** Of a core; 10000: the standard one. */
  speed: z.number().positive().default(10_000),
  /** Of its list of nodes; 0: it has none but its configuration. */
  revision: z.int().nonnegative().default(0),
  /** What its administrator calls it besides; what comes by datagram has their checksum instead. */
  labels: z.array(z.string().max(63)).max(32).optional(),
  labels_checksum: z.int().nonnegative().optional(),
  /** What its clock showed as it said this, in seconds since 1970: for whoever has asked it just now. Not in datagrams' entries, which are passed on. */
  clock_seconds: z.number().optional(),
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
  /** All between the two nodes is to be encrypted. */
  encrypt: z.boolean(),
  /** Nobody has ordered it: its home has found that it should be there. */
  automatic: z.boolean().default(false),
  /** What rights it has beyond those of an ordinary user's program; null: none. An earlier version does not say. */
  privileged: z.string().max(200).nullable().default(null),
  /** Where its home is asked; 0: an earlier version, which does not say. */
  control_port: z.int().min(0).max(65535).default(0),
  /** Its home does not send it, and only says so: why. */
  withheld: z.string().max(500).nullable().default(null),
});
export type SessionRequest = z.infer<typeof sessionRequest>;

/** The answer to such a request that is only a question. */
export const admission = z.object({ refusal: z.string().nullable() });

export const sessionAnswer = z.object({
  session: z.string().regex(/^[0-9a-f]{16}$/),
  token: z.string().regex(/^[0-9a-f]{64}$/),
  address: z.string(),
  port: z.int(),
  /** It was asked for, or this node demands it. */
  encrypted: z.boolean(),
});
/** Take the processes of these sessions away, please. */
export const recall = z.object({
  sessions: z.array(z.string()).max(1000),
  /** Why they cannot stay; null: the node is being emptied. */
  reason: z.string().max(300).nullable().default(null),
});
const recallResult = z.object({
  session: z.string(),
  /** Why it could not be brought home; null: it is. */
  message: z.string().nullable(),
});
export type RecallResult = z.infer<typeof recallResult>;
export const recalled = z.object({ results: z.array(recallResult) });

/** What a stay has used; null where its end was missed. */
export const sessionUsage = z.object({
  running: z.boolean(),
  cpu_seconds: z.number().nullable(),
  /** While it runs. */
  memory_bytes: z.number().nullable(),
  threads: z.int().nullable(),
  encrypted: z.boolean(),
});
export type SessionUsage = z.infer<typeof sessionUsage>;

/** What every process of the sessions of whoever asks has used. */
export const sessionUsages = z.object({
  processes: z.array(
    z.object({
      session: z.string(),
      /** As it has it itself. */
      pid: z.int(),
      /** Outside the kernel: what it spends there is mostly for calls that go home. */
      user_seconds: z.number(),
      memory_bytes: z.number(),
      /** Threads that run or want to, at this moment. */
      runnable: z.int().nonnegative(),
    }),
  ),
});
export type ProcessUsage = z.infer<typeof sessionUsages>['processes'][number];

/** The highest number of channels between two nodes: each is a 16-bit number of its own, kStreams of native/stub/layout.h to one of these. */
export const MOST_LINKS = 16383;

/** Open the channels that your guest's memory will go over, to the node it is to move on to. */
export const linkRequest = z.object({
  pid: z.int().positive(),
  session: z.string().regex(/^[0-9a-f]{16}$/),
  key: z.string().regex(/^[0-9a-f]{64}$/),
  address: z.ipv4(),
  port: z.int().min(1).max(65535),
  /** Their number. */
  memory: z.int().min(1).max(MOST_LINKS),
  /** It has so much memory that one is not enough. */
  large: z.boolean(),
  encrypted: z.boolean(),
});
export type LinkRequest = z.infer<typeof linkRequest>;
export const linkAnswer = z.object({ linked: z.literal(true) });

export const sessionDropped = z.object({ dropped: z.boolean() });

/** A machine asks to become a node. What it leaves out is chosen for it. */
export const joinRequest = z.object({
  /** Of its invitation, hex. */
  secret: z.string().regex(/^[0-9a-f]{32}$/),
  name: z.string(),
  number: z.int().nullable(),
  address: z.string(),
  control_port: z.int(),
  data_port: z.int(),
  /** PKCS #10, PEM: its public key. */
  request: z.string().max(4096),
});
export type JoinRequest = z.infer<typeof joinRequest>;

export const joinAnswer = z.object({
  cluster: z.string(),
  /** PEM texts. */
  ca: z.string(),
  certificate: z.string(),
  /** The list of nodes, signed. */
  list: z.unknown(),
});
export type JoinAnswer = z.infer<typeof joinAnswer>;

export type SessionAnswer = z.infer<typeof sessionAnswer>;
