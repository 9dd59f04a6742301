/** What the API does. */
import { release } from 'node:os';
import { bestNode } from '../placement/index.js';
import type { Membership, NodeView } from '../cluster/index.js';
import type { PeerCredentials } from '../engine/index.js';
import type { MigrationDocument } from '../shared/documents.js';
import { MosrunError } from '../shared/errors.js';
import { DOCUMENT_VERSION, VERSION } from '../shared/version.js';
import type { Context } from './context.js';
import { examine } from './doctor.js';
import type { GateKeeper } from './gate-keeper.js';
import type { Guests } from './guests.js';
import type { LocalServices } from './local-server.js';
import { nodesDocument } from './nodes-document.js';
import { checkMayKill } from './permission.js';
import type { Residents } from './residents.js';

export interface Parts {
  context: Context;
  members: Membership;
  residents: Residents;
  guests: Guests;
  gate: GateKeeper;
  /** What is wrong with the configuration that was read last; null when it is in use. */
  configurationError: () => string | null;
}

export function findNode(members: Membership, name: string): NodeView {
  const node = members.find(name);
  if (!node) throw new MosrunError('unknown-node', `no node is called ${name}: see mosctl nodes`);
  return node;
}

export function checkIsUp(node: NodeView): void {
  if (node.state === 'down') {
    throw new MosrunError('node-down', `${node.name} is down (${node.why ?? 'no sign of life'}): see mosctl nodes`);
  }
}

export function localServices({ context, members, residents, guests, gate, configurationError }: Parts): LocalServices {
  const { own, clock, configuration } = context;
  const { migrations, jobs, table, history } = residents;
  const began = clock.seconds();

  const destinationOf = (pid: number, to: string): string => {
    if (to === 'home') return own.name;
    if (to !== 'out') return findNode(members, to).name;
    const where = migrations.whereIs(pid);
    if (where !== own.name) return where;
    const best = bestNode(members.nodes(), (node) => !node.self);
    if (!best) throw new MosrunError('node-down', 'no other node is up: see mosctl nodes');
    return best.name;
  };

  const migrate = async (peer: PeerCredentials, pid: number, to: string, wait: boolean): Promise<MigrationDocument> => {
    checkMayKill(peer, pid);
    const job = jobs.jobOf(pid);
    if (!job) throw new MosrunError('not-found', `process ${pid} was not started by mosrun on this node: see mosps`);
    const destination = destinationOf(pid, to);
    const from = migrations.whereIs(pid);
    const over = migrations.order(pid, destination, job.clock, `ordered by uid ${peer.uid}`);
    if (wait) return over;
    // What can be said at once is (it is moving already); the rest is kept in the process's history.
    await Promise.race([over, Promise.resolve()]);
    over.catch(() => {});
    const nothing = { freeze_seconds: 0, total_seconds: 0, bytes: 0, pages: 0, threads: 0 };
    return { version: DOCUMENT_VERSION, pid, from, to: destination, moved: false, ...nothing };
  };

  return {
    migrate,
    nodes: () => nodesDocument(members.nodes()),

    async status() {
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
        guests: (await guests.list()).length,
      };
    },

    async processes() {
      residents.tidy();
      return { version: DOCUMENT_VERSION, processes: table.list(), guests: await guests.list() };
    },

    async process(pid) {
      const found = table.find(pid);
      if (!found) throw new MosrunError('not-found', `process ${pid} was not started by mosrun on this node: see mosps`);
      const canBeAsked = found.state === 'running' || found.state === 'stopped';
      const explained = canBeAsked ? await residents.engine.explain(pid) : null;
      return {
        version: DOCUMENT_VERSION,
        process: found,
        history: history.read(pid)?.entries ?? [],
        movable: explained?.movable ?? null,
        reasons: explained?.reasons ?? [],
      };
    },

    doctor: () =>
      examine({
        addon: context.addon,
        kernel: release(),
        tracking: jobs.tracking,
        hasCgroups: residents.hasCgroups,
        gateProblem: gate.problem,
        isRoot: process.geteuid?.() === 0,
      }),
  };
}
