/** The JSON documents users and programs see: one schema each, from which types, API description and checks come. */
import * as z from 'zod';
import { nodeDocument } from './node-documents.js';
import { DOCUMENT_VERSION } from './version.js';

export * from './node-documents.js';

const version = z.literal(DOCUMENT_VERSION);

/** `-e`, `-w`, `-u`. */
export const unserved = z
  .enum(['home', 'error', 'warn', 'end'])
  .meta({ description: 'a call that cannot be served away brings it home, fails, fails with a warning, or ends it' });
export type Unserved = z.infer<typeof unserved>;

export const processDocument = z.object({
  pid: z.int(),
  parent_pid: z.int(),
  command: z.string().meta({ description: 'the full command line' }),
  user: z.string(),
  uid: z.int(),
  home: z.string().meta({ description: 'name of the home-node' }),
  where: z.string().meta({ description: 'name of the node it runs on, also at home' }),
  state: z
    .enum(['running', 'moving', 'away', 'stopped', 'frozen'])
    .meta({ description: 'frozen: its memory is on the disk of its home' }),
  migrations: z.int().meta({ description: 'completed moves, each way counted' }),
  last_freeze_seconds: z.number().nullable(),
  dirty_bytes_per_second: z
    .number()
    .nullable()
    .meta({ description: 'memory that it changed while it was last copied; null: never measured' }),
  why: z.string().nullable().meta({ description: 'what keeps it from moving, or why the last move failed' }),
  job: z.string().nullable().meta({ description: 'the id given by -J' }),
  job_number: z.int(),
  locked: z.boolean(),
  clock: z.enum(['home', 'host']),
  threads: z.int(),
  cpu_seconds: z.number().meta({ description: 'used at home; what a guest uses is counted where it runs' }),
  memory_bytes: z.number().meta({ description: 'resident at home' }),
  since: z.number().nullable().meta({ description: 'seconds since 1970 at which it went where it is; null at home' }),
  calls: z.number().meta({ description: 'system calls carried out at home for its guest' }),
  bytes_out: z.number().meta({ description: 'what these calls carried to the guest' }),
  bytes_in: z.number().meta({ description: 'what these calls carried from the guest' }),
  returns: z.record(z.string(), z.number()).meta({ description: 'how often each call brought it home, by name' }),
  unserved,
  read_ahead: z.boolean().meta({ description: 'files are read ahead of it while it is away (`--no-read-ahead`: they are not)' }),
  write_behind: z
    .boolean()
    .meta({ description: 'it does not wait for its writes to files while it is away (`--no-write-behind`: it does)' }),
  awake: z.boolean().meta({ description: 'away, it stays awake for answers that come at once (`--no-awake`: it sleeps)' }),
  lazy: z.boolean().meta({ description: 'it leaves its home at once, and its memory follows as it is touched (`--lazy`)' }),
  refused: z.record(z.string(), z.number()).meta({ description: 'how often each call failed away instead (-e, -w), by name' }),
  encrypted: z.boolean().meta({ description: 'it is away, and all between the nodes is encrypted' }),
  abroad: z.boolean().meta({ description: 'it may go to other clusters (-G)' }),
  class: z.string().nullable().meta({ description: 'the class given by -G, which says when it is frozen' }),
});
export type ProcessDocument = z.infer<typeof processDocument>;

export const guestDocument = z.object({
  session: z.string(),
  home: z
    .string()
    .nullable()
    .meta({ description: 'name of its home-node, as this node names it: `node3`, or of another cluster `node3@physics`' }),
  cluster: z.string().nullable().meta({ description: 'of its home-node' }),
  priority: z.int().nullable().meta({ description: 'of its cluster here; lower is better, 0 the own' }),
  home_pid: z.int().nullable(),
  pid: z.int().nullable(),
  command: z.string(),
  uid: z.int().nullable(),
  state: z.enum(['open', 'arriving', 'running']),
  cpu_seconds: z.number(),
  memory_bytes: z.number(),
  threads: z.int(),
  encrypted: z.boolean().meta({ description: 'all between the nodes is encrypted' }),
});
export type GuestDocument = z.infer<typeof guestDocument>;

export const processesDocument = z.object({
  version,
  processes: z.array(processDocument),
  guests: z.array(guestDocument),
});
export type ProcessesDocument = z.infer<typeof processesDocument>;

export const historyEntry = z.object({
  at: z.number().meta({ description: 'seconds since 1970' }),
  from: z.string(),
  to: z.string(),
  outcome: z.enum(['done', 'failed']),
  reason: z.string().meta({ description: 'who or what asked for it' }),
  code: z.string().nullable(),
  message: z.string().nullable().meta({ description: 'why it failed' }),
  freeze_seconds: z.number().nullable(),
  total_seconds: z.number().nullable(),
  bytes: z.number().nullable(),
  dirty_bytes_per_second: z.number().nullable().default(null),
});
export type HistoryEntry = z.infer<typeof historyEntry>;

export const processDetailDocument = z.object({
  version,
  process: processDocument,
  history: z.array(historyEntry),
  movable: z.boolean().nullable().meta({ description: 'null: could not be found out' }),
  reasons: z.array(z.string()),
});
export type ProcessDetailDocument = z.infer<typeof processDetailDocument>;

export const timesDocument = z.object({
  version,
  pid: z.int(),
  command: z.string(),
  cpu_seconds: z.number().meta({ description: 'at home and on all other nodes' }),
  complete: z.boolean().meta({ description: 'false: a node could not be asked, and it may be more' }),
  nodes: z.array(
    z.object({
      node: z.string(),
      home: z.boolean(),
      cpu_seconds: z.number(),
      complete: z.boolean(),
    }),
  ),
});
export type TimesDocument = z.infer<typeof timesDocument>;

export const decisionDocument = z.object({
  at: z.number().meta({ description: 'seconds since 1970' }),
  trigger: z.enum(['start', 'balance', 'memory', 'order', 'leaving']),
  from: z.string().meta({ description: 'where it was' }),
  to: z.string().meta({ description: 'where it should be; `from`: it stays' }),
  reason: z.string(),
  busy: z.number().meta({ description: 'threads that compute or wait for home, on average' }),
  memory_bytes: z.number(),
  calls_per_cpu_second: z.number().meta({ description: 'carried out at home, for each second it computes' }),
  bytes_per_cpu_second: z.number().meta({ description: 'what these calls carry' }),
  candidates: z.array(
    z.object({
      node: z.string(),
      excluded: z.string().nullable().meta({ description: 'why it cannot be chosen; null: it can' }),
      density: z.number().meta({ description: 'threads for each standard core, the process not counted' }),
      cpu_cost: z.number().meta({ description: 'what the process adds to the opportunity cost of processor time' }),
      waiting_cost: z.number().meta({ description: 'the part of it that is for waiting for home' }),
      memory_cost: z.number(),
      stretch: z.number().meta({ description: 'how long a second of its work takes there' }),
      move_seconds: z.number().meta({ description: 'what the move would take' }),
    }),
  ),
});
export type DecisionDocument = z.infer<typeof decisionDocument>;

const verdict = z.object({
  node: z.string(),
  takes: z.boolean(),
  reason: z.string().nullable().meta({ description: 'why it does not take the process' }),
});
export type Verdict = z.infer<typeof verdict>;

export const versionDocument = z.object({ version, mosrun_version: z.string(), cluster: z.string(), node: z.string() });

export const explanationDocument = z.object({
  version,
  process: processDocument,
  because: z.string().meta({ description: 'why it is where it is' }),
  movable: z.boolean().nullable().meta({ description: 'null: could not be found out, as for one that is away' }),
  reasons: z.array(z.string()).meta({ description: 'what keeps it from moving' }),
  nodes: z.array(verdict).meta({ description: 'what every other node says of it' }),
  decisions: z
    .array(decisionDocument)
    .meta({ description: 'where it should be: what was decided last, after what moved it before' }),
});
export type ExplanationDocument = z.infer<typeof explanationDocument>;

const callTimes = z.object({
  times: z.number(),
  bytes: z.number().meta({ description: 'of all that went between the nodes for them' }),
  seconds: z.number().meta({ description: 'that the program waited, from the call to its result' }),
  home_seconds: z
    .number()
    .meta({ description: 'of them, that home worked on it or waited in the call; the rest was on the way' }),
});

export const callsDocument = z.object({
  version,
  process: processDocument,
  calls: z
    .array(callTimes.extend({ call: z.string().meta({ description: 'its name, or what else home was asked for' }) }))
    .meta({ description: 'calls for which home was asked since the process left, those first that took longest' }),
  answered: callTimes.meta({
    description: 'calls answered where it runs, without a word to home; of sleeps the time is not counted',
  }),
  ahead: callTimes.meta({ description: 'requests for what it was expected to read; it waits for them within its reads' }),
});
export type CallsDocument = z.infer<typeof callsDocument>;

export const launchExplanationDocument = z.object({
  version,
  program: z.string().meta({ description: 'path of what would be executed' }),
  kind: z.string(),
  movable: z.boolean(),
  reasons: z.array(z.string()),
  start: z.object({
    node: z.string().meta({ description: 'where it would be started' }),
    because: z.string(),
  }),
  locked: z.boolean(),
  clock: z.enum(['home', 'host']),
  job: z.string().nullable(),
  nodes: z.array(verdict),
});
export type LaunchExplanationDocument = z.infer<typeof launchExplanationDocument>;

export const migrationDocument = z.object({
  version,
  pid: z.int(),
  from: z.string(),
  to: z.string(),
  moved: z.boolean().meta({ description: 'false: it was there already, or the order was not waited for' }),
  freeze_seconds: z.number(),
  total_seconds: z.number(),
  bytes: z.number(),
  saved_bytes: z.number().meta({ description: 'bytes that were not sent, since others were compressed, or home still had them' }),
  pages: z.number(),
  threads: z.int(),
  live: z.boolean().meta({ description: 'most of its memory went while it ran' }),
  stood: z.string().nullable().meta({ description: 'why it was not live, where that is known' }),
  dirty_bytes_per_second: z
    .number()
    .nullable()
    .meta({ description: 'memory that it changed while it was copied, as far as that was measured' }),
  phases: z
    .array(z.object({ phase: z.string(), seconds: z.number() }))
    .meta({ description: 'what the mover came to, and when, from its start' }),
});
export type MigrationDocument = z.infer<typeof migrationDocument>;

/** Of a move that was not needed, or not waited for. */
export const nothingMoved = {
  freeze_seconds: 0,
  total_seconds: 0,
  bytes: 0,
  saved_bytes: 0,
  pages: 0,
  threads: 0,
  live: false,
  stood: null,
  dirty_bytes_per_second: null,
  phases: [],
} satisfies Partial<MigrationDocument>;

/** Of mosbestnode. */
export const bestNodeDocument = z.object({ version, node: z.string(), decision: decisionDocument });
export type BestNodeDocument = z.infer<typeof bestNodeDocument>;

export const operationName = z.enum(['expel', 'bring', 'isolate', 'shutdown']);
export type OperationName = z.infer<typeof operationName>;

const operationFailure = z.object({
  pid: z.int().nullable().meta({ description: 'on its home-node' }),
  home: z.string().nullable(),
  command: z.string().nullable(),
  message: z.string(),
});
export type OperationFailure = z.infer<typeof operationFailure>;

export const operationDocument = z.object({
  version,
  operation: operationName,
  state: z.enum(['running', 'done', 'failed']),
  joined: z.boolean().meta({ description: 'it was under way already when it was ordered' }),
  began: z.number().meta({ description: 'seconds since 1970' }),
  seconds: z.number().meta({ description: 'how long it took; 0 while it runs' }),
  total: z.int().meta({ description: 'processes to move' }),
  left: z.int().meta({ description: 'those not moved yet' }),
  bytes: z.number().meta({ description: 'of memory that all of them had' }),
  bytes_left: z.number().meta({ description: 'of those not moved yet' }),
  bytes_per_second: z.number().nullable().meta({ description: 'the rate until now; null: nothing has moved yet' }),
  seconds_left: z.number().nullable().meta({ description: 'what is left, at that rate; null: not known' }),
  failures: z.array(operationFailure).meta({ description: 'what stayed, and why' }),
});
export type OperationDocument = z.infer<typeof operationDocument>;

export const operationsDocument = z.object({ version, operations: z.array(operationDocument) });
export type OperationsDocument = z.infer<typeof operationsDocument>;

export const settingsDocument = z.object({
  version,
  blocked: z.boolean().meta({ description: 'takes no guests' }),
  stay: z.boolean().meta({ description: 'no process leaves by itself' }),
  local_stay: z.boolean().meta({ description: 'own processes do not leave by themselves' }),
  isolated: z.boolean().meta({ description: 'takes no guests of other clusters, and sends nobody there' }),
  grid_closed: z.boolean().meta({ description: 'takes no guests of other clusters' }),
  grid_guests: z.int().nullable().meta({ description: 'takes no more of them; null: as many as of the own' }),
  priorities: z.record(z.string(), z.int()).meta({ description: "of partners, where they are not those of the partners' files" }),
  blocked_by_configuration: z.boolean().meta({ description: 'takes no guests, whatever is set here' }),
});
export type SettingsDocument = z.infer<typeof settingsDocument>;

export const partnerDocument = z.object({
  name: z.string().meta({ description: 'as this cluster calls it' }),
  description: z.string(),
  cluster: z.string().nullable().meta({ description: 'as it calls itself; null: it has not been asked yet' }),
  fingerprint: z.string().meta({ description: "SHA-256 of its authority's certificate" }),
  priority: z.int().meta({ description: 'of its processes here; lower is better' }),
  configured_priority: z.int().meta({ description: 'as its file has it' }),
  may_come: z.boolean(),
  may_be_sent_to: z.boolean(),
  may_pass_on: z.boolean(),
  privileged: z.boolean(),
  nodes: z.int().meta({ description: 'that are known' }),
  problem: z.string().nullable().meta({ description: 'why it could not be asked for its nodes last' }),
});
export type PartnerDocument = z.infer<typeof partnerDocument>;

export const turnedAwayDocument = z.object({
  cluster: z.string().nullable().meta({ description: 'of a cluster that is not known: how it would be called' }),
  node: z.string().nullable(),
  fingerprint: z.string().nullable().meta({ description: "SHA-256 of its authority's certificate" }),
  address: z.string(),
  why: z.string(),
  count: z.int(),
  last_seconds: z.number().meta({ description: 'since it came last' }),
});
export type TurnedAwayDocument = z.infer<typeof turnedAwayDocument>;

export const statusDocument = z.object({
  version,
  mosrun_version: z.string(),
  cluster: z.string(),
  node: z.string(),
  number: z.int(),
  pid: z.int(),
  uptime_seconds: z.number(),
  configuration: z.object({ file: z.string(), error: z.string().nullable() }),
  data_port: z.object({ ok: z.boolean(), message: z.string().nullable() }),
  tracking: z.string().meta({ description: 'how descendants are followed' }),
  processes: z.int(),
  away: z.int(),
  frozen: z.int().meta({ description: 'of these processes, kept on disk' }),
  guests: z.int(),
  settings: settingsDocument.omit({ version: true }),
  operations: z.array(operationDocument).meta({ description: 'the last of each kind' }),
  partners: z.array(partnerDocument),
  turned_away: z.array(turnedAwayDocument).meta({ description: 'who was not answered on the control port lately' }),
  datagrams_refused: z.int().meta({ description: 'of what came to be gossip: from nobody known, or not signed' }),
});
export type StatusDocument = z.infer<typeof statusDocument>;

/** Of mostimeof. */
export const timesOfDocument = z.object({ version, processes: z.array(timesDocument) });

/** Of migrate -J. */
export const migrationsDocument = z.object({
  version,
  migrations: z.array(migrationDocument),
  errors: z.array(z.object({ code: z.string(), message: z.string() })),
});

/** Of moskillall. */
export const signalledDocument = z.object({
  version,
  signal: z.int(),
  sent: z.array(z.int()).meta({ description: 'the processes that got it' }),
  not_permitted: z.array(z.int()).meta({ description: "those that are somebody else's" }),
});

/** Of mosctl whois. */
export const whoisDocument = z.object({
  version,
  nodes: z.array(nodeDocument),
  processes: z.array(processDocument),
  guests: z.array(guestDocument),
});

export const doctorDocument = z.object({
  version,
  ok: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      needed: z.boolean().meta({ description: 'without it no process can move' }),
      detail: z.string(),
      lost: z.string().meta({ description: 'what is lost without it' }),
    }),
  ),
});
export type DoctorDocument = z.infer<typeof doctorDocument>;

export const errorDocument = z.object({ version, error: z.object({ code: z.string(), message: z.string() }) });
export type ErrorDocument = z.infer<typeof errorDocument>;
