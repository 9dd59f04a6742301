/** mosd: puts the parts together. Nothing any running program needs goes through here: it may be killed and started at any time. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { bestNode } from '../placement/index.js';
import { type Credentials, type NodeAddress, PeerClient, StaticMembership } from '../cluster/index.js';
import { type PeerCredentials, loadAddon } from '../engine/index.js';
import { type Clock, systemClock } from '../shared/clock.js';
import { MosrunError, asMosrunError, systemCode } from '../shared/errors.js';
import { makeDirectory, removeFile } from '../shared/files.js';
import type { InterpretLaunch } from '../shared/launch-decision.js';
import { type SessionAnswer, heartbeat, sessionAnswer, sessionDropped } from '../shared/wire.js';
import { type Configuration, readConfiguration } from './configuration.js';
import { type Context, type Log, addressesIn } from './context.js';
import { GateKeeper } from './gate-keeper.js';
import { Guests } from './guests.js';
import { launchServer } from './launch-server.js';
import { checkIsAlone, closeServers, listenOn } from './listen.js';
import { localServer, peerOf } from './local-server.js';
import { peerServer } from './peer-server.js';
import { Residents } from './residents.js';
import { checkIsUp, findNode, localServices } from './services.js';
import { ThisNode } from './this-node.js';

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

const GUESTS_CHECK_SECONDS = 15;

function readCredentials(directory: string): Credentials {
  const read = (name: string): string => {
    try {
      return readFileSync(path.join(directory, name), 'utf8');
    } catch (error) {
      const file = path.join(directory, name);
      throw new MosrunError('configuration', `${file} cannot be read (${systemCode(error)}): make it with mosconf`, {
        cause: error,
      });
    }
  };
  return { ca: read('ca.pem'), certificate: read('node.pem'), key: read('node.key') };
}

function makeDirectories({ paths }: Configuration): void {
  try {
    makeDirectory(paths.runtime);
    makeDirectory(paths.state, 0o700);
    for (const name of ['processes', 'jobs', 'history', 'movers', 'guests']) makeDirectory(path.join(paths.runtime, name), 0o700);
  } catch (error) {
    throw new MosrunError('failed', `${asMosrunError(error).message}: start mosd as root, or name other directories in [paths]`, {
      cause: error,
    });
  }
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { libexec, interpret, log, clock = systemClock } = options;
  let { configuration } = options;
  let configurationError: string | null = null;
  const credentials = readCredentials(configuration.paths.certificates);
  makeDirectories(configuration);
  const context: Context = {
    configuration: () => configuration,
    own: addressesIn(configuration).find(({ name }) => name === configuration.node) as NodeAddress,
    addon: loadAddon(libexec),
    libexec,
    clock,
    log,
    runtime: (name) => path.join(options.configuration.paths.runtime, name),
  };
  const { own, addon, runtime } = context;
  // Before anything is touched that a daemon at work may be using.
  await checkIsAlone(runtime('mosd.sock'));

  const note = (message: string, facts: Record<string, unknown>): void => {
    log.info(facts, message);
  };
  const gate = new GateKeeper({
    libexec,
    controlSocket: runtime('gate.sock'),
    address: own.address,
    port: own.dataPort,
    logFile: runtime('mosgate.log'),
    clock,
    onEvent: (event) => {
      guests.onEvent(event);
      note('mosgate', { ...event });
    },
    log: note,
  });
  const guests = new Guests(runtime('guests'), gate, clock);
  const node = new ThisNode(context, () => guests.count);
  const peers = new PeerClient(credentials);
  const members = new StaticMembership(addressesIn(configuration), {
    self: own.name,
    clock,
    own: () => node.heartbeat(),
    intervalSeconds: configuration.heartbeat.interval_seconds,
    timeoutSeconds: configuration.heartbeat.timeout_seconds,
    ask: (peer, timeoutSeconds) =>
      peers.ask(peer, { method: 'GET', path: '/v1/heartbeat', connectSeconds: timeoutSeconds, timeoutSeconds }, heartbeat),
    onChange: ({ name, state, why }) => {
      note('node', { node: name, state, why });
    },
  });
  const askSession = async (name: string, pid: number): Promise<SessionAnswer> => {
    const destination = findNode(members, name);
    checkIsUp(destination);
    const body = node.requestFor(pid, residents.history.read(pid)?.command ?? null);
    const connectSeconds = configuration.migration.connect_timeout_seconds;
    const question = { method: 'POST', path: '/v1/sessions', body, connectSeconds, timeoutSeconds: 2 * connectSeconds } as const;
    return peers.ask(destination, question, sessionAnswer);
  };
  const dropSession = (name: string, session: string): void => {
    const destination = members.find(name);
    if (!destination) return;
    const bounds = { connectSeconds: 1, timeoutSeconds: 2 };
    const question = { method: 'DELETE', path: `/v1/sessions/${session}`, ...bounds } as const;
    // One that cannot be told forgets it by itself.
    peers.ask(destination, question, sessionDropped).catch(() => {});
  };
  const residents: Residents = new Residents(context, { askSession, dropSession });

  const identify = (descriptor: number): PeerCredentials => addon.peerCredentials(descriptor);
  const api = localServer(
    localServices({ context, members, residents, guests, gate, configurationError: () => configurationError }),
    identify,
  );
  const launches = launchServer({
    interpret,
    identify: (socket) => peerOf(socket, identify),
    outerJob: (pid) => residents.jobs.jobOf(pid),
    createJob: (pid, jobOptions) => residents.jobs.create(pid, jobOptions),
    bestNode: () => bestNode(members.nodes()),
    findNode: (name) => findNode(members, name),
    startAway: (pid, name, which, command) => residents.migrations.startAway(pid, name, which, command),
    log: note,
  });
  const server = peerServer(credentials, {
    knows: (name) => members.find(name)?.name === name,
    heardFrom: (name) => {
      members.heardFrom(name);
    },
    heartbeat: () => node.heartbeat(),
    async openSession(request) {
      if (guests.count >= configuration.hosting.max_guests) await guests.refresh();
      const { home, pid } = request;
      const no = node.refusal(request, gate.problem);
      if (no) {
        note('session refused', { home, pid, reason: no.message });
        throw no;
      }
      const answer = await guests.open(request, own.address, own.dataPort);
      note('session opened', { home, pid, session: answer.session });
      return answer;
    },
    dropSession: (home, session) => guests.drop(home, session),
  });

  residents.load();
  guests.load();
  await listenOn(api, { path: runtime('mosd.sock'), mode: 0o666 });
  await listenOn(launches, { path: runtime('launch.sock'), mode: 0o666 });
  await listenOn(server, { host: own.address, port: own.controlPort });
  await gate.start();
  members.start();
  // What mosgate said while nobody listened is made up for.
  const checkGuests = async (): Promise<void> => {
    await guests.refresh().catch(() => {});
    clock.after(GUESTS_CHECK_SECONDS, () => void checkGuests());
  };
  await checkGuests();
  note('mosd is ready', { node: own.name, cluster: configuration.cluster, address: own.address });

  return {
    reload() {
      try {
        const next = readConfiguration(configuration.file);
        if (next.node !== own.name) {
          throw new MosrunError('configuration', `${next.file}: node: only a restart can change this node's name`);
        }
        configuration = next;
        configurationError = null;
        members.replace(addressesIn(next));
        note('configuration read again', { file: next.file });
      } catch (error) {
        configurationError = asMosrunError(error).message;
        log.error({ error: configurationError }, 'wrong configuration: the old one stays');
      }
    },

    async stop() {
      members.stop();
      gate.close();
      residents.stop();
      peers.close();
      await closeServers([api, launches, server], clock);
      for (const name of ['mosd.sock', 'launch.sock']) removeFile(runtime(name));
      note('mosd has ended', {});
    },
  };
}
