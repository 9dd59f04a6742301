/** What the API does. */
import { release } from 'node:os';
import type { Membership, NodeView } from '../cluster/index.js';
import { type MigrationDocument, nothingMoved } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import { DOCUMENT_VERSION, VERSION } from '../shared/version.js';
import type { Automatic } from './automatic.js';
import { callsOf } from './calls.js';
import type { Clusters } from './clusters.js';
import type { Context } from './context.js';
import type { EventStreams } from './event-stream.js';
import { examine, trySeal } from './doctor.js';
import { type AskAdmission, becauseOf, verdicts } from './explain.js';
import type { FloodControl } from './flood-control.js';
import type { GateKeeper } from './gate-keeper.js';
import type { Guests } from './guests.js';
import type { Handlers } from './http-api.js';
import type { Metrics } from './metrics.js';
import { nodesDocument } from './nodes-document.js';
import { openApiDocument } from './openapi.js';
import type { Caller } from './permission.js';
import type { SettingsChange } from './node-settings.js';
import type { Operations } from './operations.js';
import type { Residents } from './residents.js';

export interface Parts {
  context: Context;
  members: Membership;
  residents: Residents;
  automatic: Automatic;
  flood: FloodControl;
  guests: Guests;
  gate: GateKeeper;
  metrics: Metrics;
  askAdmission: AskAdmission;
  operations: Operations;
  changeSettings: (change: SettingsChange) => void;
  streams: EventStreams;
  /** What is wrong with the configuration that was read last; null when it is in use. */
  configurationError: () => string | null;
  clusters: Pick<Clusters, 'document' | 'plain' | 'turnedAway' | 'whyNoNode'>;
  /** Of what came to be gossip. */
  datagramsRefused: () => number;
}

/** No process has this number: an ordinary program that is not there yet. */
const NOBODY = 0;

/** @param whyNot why the nodes of its cluster are not known, where they are not. */
export function findNode(members: Membership, name: string, whyNot: (name: string) => string | null = () => null): NodeView {
  const node = members.find(name);
  if (!node) throw new MosrunError('unknown-node', `no node is called ${name}: ${whyNot(name) ?? 'see mosctl nodes'}`);
  return node;
}

/** As {@link findNode}, or all that have it as a label. */
export function findNodes(members: Membership, name: string, whyNot: (name: string) => string | null): NodeView[] {
  const labelled = members.find(name) ? [] : members.nodes().filter(({ labels = [] }) => labels.includes(name));
  return labelled.length > 0 ? labelled : [findNode(members, name, whyNot)];
}

const notOurs = (pid: number): MosrunError =>
  new MosrunError('not-found', `process ${pid} was not started by mosrun on this node: see mosps`);

export function checkIsUp(node: NodeView): void {
  if (node.state === 'down') {
    throw new MosrunError('node-down', `${node.name} is down (${node.why ?? 'no sign of life'}): see mosctl nodes`);
  }
}

export function apiHandlers({
  context,
  members,
  residents,
  automatic,
  flood,
  guests,
  gate,
  metrics,
  askAdmission,
  operations,
  changeSettings,
  streams,
  configurationError,
  clusters,
  datagramsRefused,
}: Parts): Handlers {
  const { own, clock, configuration } = context;
  const { migrations, jobs, table, history } = residents;
  const began = clock.seconds();
  const settings = () => ({ ...context.settings.current, blocked_by_configuration: configuration().hosting.blocked });

  /** One that is frozen goes on: at home, or elsewhere where home has no room for it. */
  const goesOn = (pid: number): string => {
    const why = flood.whyNotThawed(pid);
    if (why === null) return own.name;
    const node = automatic.elsewhere(pid, FROZEN);
    if (node !== null) return node;
    throw new MosrunError(
      'no-memory',
      `process ${pid} stays frozen: ${why}: free some, or send it to a node (migrate ${pid} NODE)`,
    );
  };

  const destinationOf = (pid: number, to: string): string => {
    const isFrozen = migrations.whereIs(pid) === FROZEN;
    if (to === 'freeze') return FROZEN;
    if (isFrozen && (to === 'home' || to === 'continue')) return goesOn(pid);
    if (to === 'continue') throw new MosrunError('usage', `process ${pid} is not frozen: nothing to continue`);
    if (to === 'home') return own.name;
    if (to !== 'out') return findNode(members, clusters.plain(to), (name) => clusters.whyNoNode(name)).name;
    const where = migrations.whereIs(pid);
    if (where !== own.name && !isFrozen) return where;
    return automatic.out(pid);
  };

  const migrate = async (caller: Caller, pid: number, to: string, wait: boolean): Promise<MigrationDocument> => {
    await residents.isLaunched(pid);
    const job = jobs.jobOf(pid);
    if (!job) throw notOurs(pid);
    const destination = destinationOf(pid, to);
    const from = migrations.whereIs(pid);
    const over = migrations.order(pid, destination, job, `ordered by ${caller.name}`);
    if (wait) return over;
    // What can be said at once is (it is moving already); the rest is kept in the process's history.
    await Promise.race([over, Promise.resolve()]);
    over.catch(() => {});
    return { version: DOCUMENT_VERSION, pid, from, to: destination, moved: false, ...nothingMoved };
  };

  /** A process and, while it is at home, whether it could leave; null: it is away, or on its way. */
  const examined = async (pid: number) => {
    const found = table.find(pid);
    if (!found) throw notOurs(pid);
    const canBeAsked = found.state === 'running' || found.state === 'stopped';
    const explained = canBeAsked ? await residents.engine.explain(pid) : null;
    return { found, movable: explained?.movable ?? null, reasons: explained?.reasons ?? [] };
  };

  return {
    'GET /v1/openapi.json': openApiDocument,
    'GET /metrics': () => metrics.text(),
    'GET /v1/events': ({ caller, headers }) => streams.open(caller, headers['last-event-id']),
    'GET /v1/best-node': ({ query }) => automatic.best(query.memory_bytes, query.abroad === 'true' ? NOBODY : null),
    'GET /v1/nodes': () => nodesDocument(members.nodes(), configuration().cluster),

    'GET /v1/version': () => ({
      version: DOCUMENT_VERSION,
      mosrun_version: VERSION,
      cluster: configuration().cluster,
      node: own.name,
    }),

    async 'GET /v1/status'() {
      const processes = table.list();
      return {
        version: DOCUMENT_VERSION,
        mosrun_version: VERSION,
        cluster: configuration().cluster,
        node: own.name,
        number: own.number,
        pid: process.pid,
        uptime_seconds: clock.seconds() - began,
        configuration: { file: configuration().file, error: configurationError() },
        data_port: { ok: gate.problem === null, message: gate.problem },
        tracking: jobs.tracking,
        processes: processes.length,
        away: processes.filter((one) => one.where !== own.name).length,
        frozen: processes.filter((one) => one.state === 'frozen').length,
        guests: (await guests.list()).length,
        settings: settings(),
        operations: operations.list(),
        partners: clusters.document(),
        turned_away: clusters.turnedAway.list(),
        datagrams_refused: datagramsRefused(),
      };
    },

    async 'GET /v1/processes'() {
      residents.tidy();
      return { version: DOCUMENT_VERSION, processes: table.list(), guests: await guests.list() };
    },

    async 'GET /v1/processes/{pid}'({ params: { pid } }) {
      const { found, movable, reasons } = await examined(pid);
      return {
        version: DOCUMENT_VERSION,
        process: found,
        history: history.read(pid)?.entries ?? [],
        movable,
        reasons,
      };
    },

    async 'GET /v1/processes/{pid}/explanation'({ params: { pid } }) {
      const { found, movable, reasons } = await examined(pid);
      return {
        version: DOCUMENT_VERSION,
        process: found,
        because: becauseOf(found, history.read(pid)),
        movable,
        reasons,
        nodes: await verdicts(members, askAdmission, pid, found.abroad),
        decisions: [...automatic.balancer.decisionsOf(pid)],
      };
    },

    async 'GET /v1/processes/{pid}/calls'({ params: { pid } }) {
      const found = table.find(pid);
      if (!found) throw notOurs(pid);
      return { version: DOCUMENT_VERSION, process: found, ...callsOf(context.addon.callTimes(pid)) };
    },

    async 'GET /v1/processes/{pid}/times'({ params: { pid } }) {
      const found = table.find(pid);
      if (!found) throw notOurs(pid);
      const home = { node: own.name, home: true, cpu_seconds: found.cpu_seconds, complete: true };
      const nodes = [home, ...(await residents.stays.times(pid)).map((one) => ({ ...one, home: false }))];
      return {
        version: DOCUMENT_VERSION,
        pid,
        command: found.command,
        cpu_seconds: nodes.reduce((sum, one) => sum + one.cpu_seconds, 0),
        complete: nodes.every((one) => one.complete),
        nodes,
      };
    },

    'POST /v1/processes/{pid}/migrate': ({ caller, params, body }) => migrate(caller, params.pid, body.to, body.wait),

    'POST /v1/settings'({ body }) {
      changeSettings(body);
      return { version: DOCUMENT_VERSION, ...settings() };
    },

    'GET /v1/operations': () => ({ version: DOCUMENT_VERSION, operations: operations.list() }),

    'POST /v1/operations/{operation}': ({ params: { operation } }) => operations.start(operation),

    'GET /v1/doctor': async () =>
      examine({
        addon: context.addon,
        kernel: release(),
        tracking: jobs.tracking,
        hasCgroups: residents.hasCgroups,
        gateProblem: gate.problem,
        sealProblem: await trySeal(context.libexec),
        isRoot: process.geteuid?.() === 0,
      }),
  };
}
