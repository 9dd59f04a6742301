/** mosd: puts the parts together. Nothing any running program needs goes through here: it may be killed and started at any time. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import path from 'node:path';
import { bestNode, LoadMeter, refusal } from '../placement/index.js';
import { type Credentials, type NodeAddress, type NodeView, PeerClient, StaticMembership } from '../cluster/index.js';
import { type Addon, type Engine, type PeerCredentials, loadAddon, processEngine } from '../engine/index.js';
import {
  AwayFiles,
  CgroupTree,
  Finder,
  HistoryBook,
  JobBook,
  Migrations,
  MoverRecords,
  ProcessTable,
  bootId,
  movableBytes,
  readFacts,
  readUids,
} from '../processes/index.js';
import { type Clock, systemClock } from '../shared/clock.js';
import type { MigrationDocument, NodesDocument, StatusDocument } from '../shared/documents.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { makeDirectory, readIfThere, removeFile } from '../shared/files.js';
import type { InterpretLaunch } from '../shared/launch-decision.js';
import { DOCUMENT_VERSION, PROTOCOL_VERSION, VERSION } from '../shared/version.js';
import { type Heartbeat, type SessionRequest, heartbeat, sessionAnswer } from '../shared/wire.js';
import { type Configuration, readConfiguration } from './configuration.js';
import { examine } from './doctor.js';
import { GateKeeper } from './gate-keeper.js';
import { Guests } from './guests.js';
import { launchServer } from './launch-server.js';
import { listenOn } from './listen.js';
import { localServer, peerOf } from './local-server.js';
import { nodesDocument } from './nodes-document.js';
import { peerServer } from './peer-server.js';
import { checkMayKill } from './permission.js';

export interface Log {
  info(facts: Record<string, unknown>, message: string): void;
  warn(facts: Record<string, unknown>, message: string): void;
  error(facts: Record<string, unknown>, message: string): void;
}

export interface DaemonOptions {
  configuration: Configuration;
  /** Where mosmove, mosgate and the addon are. */
  libexec: string;
  interpret: InterpretLaunch;
  log: Log;
  clock?: Clock;
}

export interface Daemon {
  /** Reads the configuration again; a wrong one changes nothing, and is shown by status. */
  reload(): void;
  /** Lets go of everything; what runs goes on. */
  stop(): Promise<void>;
}

/** A mover that has outlived its bound by so much hangs. */
const MOVER_GRACE_SECONDS = 5;

function readCredentials(directory: string): Credentials {
  const read = (name: string): string => {
    try {
      return readFileSync(path.join(directory, name), 'utf8');
    } catch (error) {
      throw new MosrunError('configuration', `${path.join(directory, name)} cannot be read: make it with mosconf`, {
        cause: error,
      });
    }
  };
  return { ca: read('ca.pem'), certificate: read('node.pem'), key: read('node.key') };
}

const addresses = (configuration: Configuration): NodeAddress[] =>
  configuration.nodes.map((node) => ({
    name: node.name,
    number: node.number,
    address: node.address,
    controlPort: node.control_port,
    dataPort: node.data_port,
  }));

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { libexec, interpret, log, clock = systemClock } = options;
  let configuration = options.configuration;
  let configurationError: string | null = null;
  const began = clock.seconds();
  const note = (message: string, facts: Record<string, unknown>): void => {
    log.info(facts, message);
  };

  const { runtime, state } = configuration.paths;
  const directory = (name: string): string => path.join(runtime, name);
  makeDirectory(runtime);
  makeDirectory(state, 0o700);
  for (const name of ['processes', 'jobs', 'history', 'movers', 'guests']) makeDirectory(directory(name), 0o700);

  const credentials = readCredentials(configuration.paths.certificates);
  const addon: Addon = loadAddon(libexec);
  const engine: Engine = processEngine(libexec, directory('processes'));
  const cpuHash = addon.cpuFeatures().hash;
  const pidMax = Number(readIfThere('/proc/sys/kernel/pid_max') ?? 32768);
  const self = configuration.node;
  const own = addresses(configuration).find(({ name }) => name === self) as NodeAddress;

  // ---- who is there
  const load = new LoadMeter(clock);
  const ownHeartbeat = (): Heartbeat => {
    const capacity = load.capacity();
    return {
      protocol: PROTOCOL_VERSION,
      mosrun_version: VERSION,
      node: self,
      number: own.number,
      boot_id: bootId(),
      state: configuration.hosting.blocked ? 'blocked' : 'up',
      kernel: release(),
      cpu_hash: cpuHash,
      cpus: capacity.cpus,
      load: capacity.load,
      memory_bytes: capacity.memoryBytes,
      memory_free_bytes: capacity.memoryFreeBytes,
      guests: guests.count,
    };
  };
  const peers = new PeerClient(credentials);
  const members = new StaticMembership(addresses(configuration), {
    self,
    clock,
    own: ownHeartbeat,
    intervalSeconds: configuration.heartbeat.interval_seconds,
    timeoutSeconds: configuration.heartbeat.timeout_seconds,
    ask: (node, timeoutSeconds) =>
      peers.ask(node, { method: 'GET', path: '/v1/heartbeat', connectSeconds: timeoutSeconds, timeoutSeconds }, heartbeat),
    onChange: (node) => {
      log.info({ node: node.name, state: node.state, why: node.why }, 'node');
    },
  });
  const findNode = (name: string): NodeView => {
    const node = members.find(name);
    if (!node) throw new MosrunError('unknown-node', `no node is called ${name}: see mosctl nodes`);
    return node;
  };

  // ---- who visits
  const gate = new GateKeeper({
    libexec,
    controlSocket: directory('gate.sock'),
    address: own.address,
    port: own.dataPort,
    logFile: directory('mosgate.log'),
    clock,
    onEvent: (event) => {
      guests.onEvent(event);
      log.info({ ...event }, 'mosgate');
    },
    log: note,
  });
  const guests = new Guests(directory('guests'), gate, clock);

  // ---- who lives here
  const away = new AwayFiles(directory('processes'));
  const history = new HistoryBook(directory('history'));
  const finder = new Finder({
    away,
    inspect: (pid) => addon.inspect(pid),
    nodeAt: (address, port) =>
      addresses(configuration).find((one) => one.address === address && one.dataPort === port)?.name ?? null,
  });
  const tidy = (): void => {
    away.sweep((pid) => migrations.isMoving(pid) || finder.find(pid).node !== null);
    history.sweep();
  };
  const tree = CgroupTree.find(configuration.cgroup);
  const jobs = new JobBook(directory('jobs'), tree, clock, tidy);
  const migrations = new Migrations({
    self,
    engine,
    finder,
    history,
    clock,
    records: new MoverRecords(directory('movers')),
    settings: () => ({ timeoutSeconds: configuration.migration.timeout_seconds, graceSeconds: MOVER_GRACE_SECONDS }),
    kill: (pid) => {
      process.kill(pid, 'SIGKILL');
    },
    log: note,
    askSession: async (name, pid) => {
      const node = findNode(name);
      if (node.state === 'down')
        throw new MosrunError('node-down', `${name} is down (${node.why ?? 'no sign of life'}): see mosctl nodes`);
      const facts = readFacts(pid);
      if (!facts) throw new MosrunError('not-found', `process ${pid} has ended: nothing to move`);
      const body: SessionRequest = {
        protocol: PROTOCOL_VERSION,
        home: self,
        pid,
        command: history.read(pid)?.command ?? facts.name,
        uid: readUids(pid)?.real ?? 0,
        threads: facts.threads,
        memory_bytes: movableBytes(pid),
        kernel: release(),
        cpu_hash: cpuHash,
        pid_max: pidMax,
      };
      const connectSeconds = configuration.migration.connect_timeout_seconds;
      const question = {
        method: 'POST' as const,
        path: '/v1/sessions',
        body,
        connectSeconds,
        timeoutSeconds: 2 * connectSeconds,
      };
      return peers.ask(node, question, sessionAnswer);
    },
  });
  const table = new ProcessTable({ self, jobs, finder, history, migrations });

  // ---- what others may ask
  const server = peerServer(credentials, {
    knows: (name) => members.find(name)?.name === name,
    heardFrom: (name) => {
      members.heardFrom(name);
    },
    heartbeat: ownHeartbeat,
    async openSession(request) {
      const capacity = load.capacity();
      const no = refusal(request, {
        name: self,
        blocked: configuration.hosting.blocked,
        guests: guests.count,
        maxGuests: configuration.hosting.max_guests,
        memoryFreeBytes: capacity.memoryFreeBytes,
        reserveBytes: configuration.hosting.reserve_memory,
        kernel: release(),
        cpuHash,
        pidMax,
        trouble: gate.problem,
      });
      if (no) {
        log.info({ home: request.home, pid: request.pid, reason: no.message }, 'session refused');
        throw no;
      }
      const answer = await guests.open(request, own.address, own.dataPort);
      log.info({ home: request.home, pid: request.pid, session: answer.session }, 'session opened');
      return answer;
    },
  });

  const destinationOf = (pid: number, to: string): string => {
    if (to === 'home') return self;
    if (to !== 'out') return findNode(to).name;
    const where = migrations.whereIs(pid);
    if (where !== self) return where;
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
    // Errors after this are kept in the process's history.
    const started = Promise.race([over, Promise.resolve(null)]);
    over.catch(() => {});
    await started;
    const nothing = { freeze_seconds: 0, total_seconds: 0, bytes: 0, pages: 0, threads: 0 };
    return { version: DOCUMENT_VERSION, pid, from, to: destination, moved: false, ...nothing };
  };

  const status = async (): Promise<StatusDocument> => {
    const processes = table.list();
    return {
      version: DOCUMENT_VERSION,
      mosrun_version: VERSION,
      cluster: configuration.cluster,
      node: self,
      number: own.number,
      pid: process.pid,
      uptime_seconds: clock.seconds() - began,
      configuration: { file: configuration.file, error: configurationError },
      data_port: { ok: gate.problem === null, message: gate.problem },
      tracking: jobs.tracking,
      processes: processes.length,
      away: processes.filter((one) => one.where !== self).length,
      guests: (await guests.list()).length,
    };
  };

  const identify = (descriptor: number): PeerCredentials => addon.peerCredentials(descriptor);
  const api = localServer(
    {
      status,
      nodes: (): NodesDocument => nodesDocument(members.nodes()),
      async processes() {
        tidy();
        return { version: DOCUMENT_VERSION, processes: table.list(), guests: await guests.list() };
      },
      async process(pid) {
        const found = table.find(pid);
        if (!found) throw new MosrunError('not-found', `process ${pid} was not started by mosrun on this node: see mosps`);
        const explained = found.state === 'running' || found.state === 'stopped' ? await engine.explain(pid) : null;
        return {
          version: DOCUMENT_VERSION,
          process: found,
          history: history.read(pid)?.entries ?? [],
          movable: explained?.movable ?? null,
          reasons: explained?.reasons ?? [],
        };
      },
      migrate,
      doctor: () =>
        examine({
          addon,
          kernel: release(),
          tracking: jobs.tracking,
          hasCgroups: tree !== null,
          gateProblem: gate.problem,
          isRoot: process.geteuid?.() === 0,
        }),
    },
    identify,
  );
  const launches = launchServer({
    interpret,
    identify: (socket) => peerOf(socket, identify),
    outerJob: (pid) => jobs.jobOf(pid),
    createJob: (pid, jobOptions) => jobs.create(pid, jobOptions),
    bestNode: () => bestNode(members.nodes()),
    findNode,
    startAway: (pid, node, which, command) => migrations.startAway(pid, node, which, command),
    log: note,
  });

  jobs.load();
  migrations.restore();
  guests.load();
  tidy();
  await listenOn(api, { path: directory('mosd.sock'), mode: 0o666 });
  await listenOn(launches, { path: directory('launch.sock'), mode: 0o666 });
  await listenOn(server, { host: own.address, port: own.controlPort });
  await gate.start();
  members.start();
  // Guests that are still here after a restart count from now on.
  await guests.refresh().catch(() => {});
  log.info({ node: self, cluster: configuration.cluster, address: own.address, version: VERSION }, 'mosd is ready');

  return {
    reload() {
      try {
        const next = readConfiguration(configuration.file);
        if (next.node !== self)
          throw new MosrunError('configuration', `${next.file}: node: this node's name needs a restart to change`);
        configuration = next;
        configurationError = null;
        members.replace(addresses(next));
        log.info({ file: next.file }, 'configuration read again');
      } catch (error) {
        configurationError = asMosrunError(error).message;
        log.error({ error: configurationError }, 'wrong configuration: the old one stays');
      }
    },
    async stop() {
      members.stop();
      gate.close();
      jobs.close();
      peers.close();
      const closed = [api, launches, server].map(
        (one) =>
          new Promise<void>((resolve) => {
            one.close(() => {
              resolve();
            });
          }),
      );
      api.closeAllConnections();
      server.closeAllConnections();
      await Promise.race([
        Promise.all(closed),
        new Promise<void>((resolve) => {
          clock.after(1, resolve);
        }),
      ]);
      for (const name of ['mosd.sock', 'launch.sock']) removeFile(directory(name));
      log.info({}, 'mosd has ended');
    },
  };
}
