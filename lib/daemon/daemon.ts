/** mosd: puts the parts together. Nothing any running program needs goes through here: it may be killed and started at any time. */
import type { Socket } from 'node:net';
import path from 'node:path';
import { Links } from '../placement/index.js';
import {
  Invitations,
  type NodeAddress,
  PeerClient,
  authorityIdOf,
  clusterOf,
  introduction,
  nodeList,
  readList,
} from '../cluster/index.js';
import { type PeerCredentials, loadAddon } from '../engine/index.js';
import { type Clock, systemClock } from '../shared/clock.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import { removeFile } from '../shared/files.js';
import { privilegesOf } from '../processes/index.js';
import type { InterpretLaunch } from '../shared/launch-decision.js';
import { type Heartbeat, type LinkRequest, heartbeat } from '../shared/wire.js';
import { Automatic } from './automatic.js';
import { Clusters } from './clusters.js';
import { type Configuration, invitationsIn, readConfiguration } from './configuration.js';
import { type Context, type Log, addressesIn } from './context.js';
import { descriptorOf } from './descriptors.js';
import { EventBook } from './event-book.js';
import { EventStreams } from './event-stream.js';
import { GateKeeper } from './gate-keeper.js';
import { FloodControl } from './flood-control.js';
import { Freezer } from './freezer.js';
import { Gossip } from './gossip.js';
import { Guests } from './guests.js';
import { Joins } from './joins.js';
import { launchServer } from './launch-server.js';
import { launchServices } from './launch-services.js';
import { Lists } from './lists.js';
import { checkIsAlone, closeServers, listenOn } from './listen.js';
import { localServer, peerOf } from './local-server.js';
import { Metrics } from './metrics.js';
import { Neighbours } from './neighbours.js';
import { NodeSettings } from './node-settings.js';
import { Operations, recallHere } from './operations.js';
import { makeDirectories, readCredentials } from './own-files.js';
import { contextOf, peerServer } from './peer-server.js';
import { Residents } from './residents.js';
import { ServiceManager, type ServiceSettings } from './service-manager.js';
import { apiHandlers } from './services.js';
import { Sessions } from './sessions.js';
import { ThisNode } from './this-node.js';
import { Thrift } from './thrift.js';
import { Visits } from './visits.js';

export interface DaemonOptions {
  configuration: Configuration;
  /** Where mosmove, mosgate and the addon are. */
  libexec: string;
  interpret: InterpretLaunch;
  log: Log;
  /** What the service manager asks for; null: nobody watches over this daemon. */
  service: ServiceSettings | null;
  clock?: Clock;
  /** Called when the node has been shut down: the daemon is to stop, and its process to end. */
  end: () => void;
}

export interface Daemon {
  /** Reads the configuration again; a wrong one changes nothing, and is shown by status. */
  reload(): void;
  /** Lets go of everything; what runs goes on. */
  stop(): Promise<void>;
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { libexec, interpret, log, service, clock = systemClock } = options;
  let { configuration } = options;
  let configurationError: string | null = null;
  const credentials = readCredentials(configuration.paths.certificates);
  makeDirectories(configuration);
  const own = addressesIn(configuration).find(({ name }) => name === configuration.node) as NodeAddress;
  const events = new EventBook(own.name, clock);
  const context: Context = {
    configuration: () => configuration,
    own,
    events,
    addon: loadAddon(libexec),
    libexec,
    clock,
    log,
    settings: new NodeSettings(path.join(configuration.paths.state, 'node.json')),
    addresses: () => clusters.nodes(),
    runtime: (name) => path.join(options.configuration.paths.runtime, name),
  };
  const { addon, runtime } = context;
  // Before anything is touched that a daemon at work may be using.
  await checkIsAlone(runtime('mosd.sock'));

  const note = (message: string, facts: Record<string, unknown>): void => {
    log.info(facts, message);
  };
  const clusters: Clusters = new Clusters(context, {
    ca: credentials.ca,
    ask: (peer) => peers.ask(peer, { method: 'GET', path: '/v1/cluster', connectSeconds: 3, timeoutSeconds: 5 }, introduction),
    onNodes: () => {
      members.replace(clusters.nodes());
    },
  });
  const manager = new ServiceManager(service, { clock, log: note, send: (address, text) => addon.sendDatagram(address, text) });
  const gate = new GateKeeper({
    self: own.name,
    libexec,
    controlSocket: runtime('gate.sock'),
    address: own.address,
    port: own.dataPort,
    logFile: runtime('mosgate.log'),
    clock,
    onEvent: (event) => {
      guests.onEvent(event);
      freezer.onEvent(event);
      note('mosgate', { ...event });
    },
    log: note,
  });
  const guests = new Guests({
    directory: runtime('guests'),
    gate,
    clock,
    // Users of another node: their numbers may mean others here.
    tell: (type, guest) => {
      events.tell(type, guest, null);
    },
    clusterOf: (home) => clusters.about(home),
    keepsFiles: () => configuration.hosting.keep_files,
  });
  /** Gives a process of this node's gate a channel to another node. */
  const link = async (request: LinkRequest & { guest: string }): Promise<void> => {
    const { session, key, address, port, encrypted } = request;
    const seal = encrypted ? await gate.route({ session, kind: 'memory', key, address, port }) : 0;
    const timeoutSeconds = configuration.migration.connect_timeout_seconds;
    await residents.engine.link({ ...request, seal, gateSocket: runtime('gate.sock'), timeoutSeconds });
  };
  const freezer = new Freezer(context, { gate, link });
  const node = new ThisNode(
    context,
    () => guests.count,
    () => freezer.count,
    () => operations.isLeaving,
  );
  const links = new Links();
  const onAnswer = (name: string, socket: Socket): void => {
    gossip.meet(name, socket);
    if (!socket.destroyed) links.roundTrip(name, addon.roundTrip(descriptorOf(socket)));
  };
  const peers: PeerClient = new PeerClient(credentials, onAnswer, (cluster) => clusters.authorityOf(cluster));
  const gossip: Gossip = new Gossip(context, {
    key: credentials.key,
    authority: authorityIdOf(credentials.ca),
    own: (cluster) => visits.heartbeat(cluster),
    async ask(peer, timeoutSeconds) {
      const question = { method: 'GET', path: '/v1/heartbeat', connectSeconds: timeoutSeconds, timeoutSeconds } as const;
      return peers.ask(peer, question, heartbeat);
    },
    onHeard: (peer, { revision }) => {
      if (clusterOf(peer.name) === null) lists.heard(peer, revision);
    },
    onChange: ({ name, state, why }, before) => {
      note('node', { node: name, state, why });
      const type = state === 'down' ? 'node-down' : before === 'down' ? 'node-up' : 'node-changed';
      events.tell(type, { name, state, why }, 'everyone');
    },
  });
  const { members } = gossip;
  const reload = (): void => {
    manager.reloading();
    try {
      const next = readConfiguration(configuration.file);
      if (next.node !== own.name) {
        throw new MosrunError('configuration', `${next.file}: node: only a restart can change this node's name`);
      }
      const { state } = node;
      configuration = next;
      configurationError = null;
      clusters.replace();
      server.setSecureContext(contextOf(credentials, clusters.authorities));
      members.replace(clusters.nodes());
      note('configuration read again', { file: next.file });
      events.tell('configuration-read', { file: next.file }, 'everyone');
      tellState(state);
    } catch (error) {
      configurationError = asMosrunError(error).message;
      log.error({ error: configurationError }, 'wrong configuration: the old one stays');
      events.tell('configuration-wrong', { file: configuration.file, message: configurationError }, 'everyone');
    }
    manager.ready(configurationError ?? `node ${own.name} of cluster ${configuration.cluster}`);
  };
  const directory = path.dirname(configuration.file);
  const lists = new Lists({
    self: own.name,
    ca: credentials.ca,
    configuration: () => configuration,
    directory,
    ask: (peer) => peers.ask(peer, { method: 'GET', path: '/v1/list', connectSeconds: 2, timeoutSeconds: 5 }, nodeList),
    onListed: reload,
    log: note,
  });
  const joins = new Joins({
    invitations: new Invitations(invitationsIn(configuration), () => clock.wallSeconds()),
    configuration: () => configuration,
    onListed: reload,
    isUp: (name) => (members.find(name)?.state ?? 'down') !== 'down',
    seconds: () => clock.seconds(),
    log: note,
  });
  const sessions = new Sessions({
    self: own.name,
    freezer,
    encrypts: () => configuration.security.encrypt,
    checkTakesPart: () => {
      if (operations.isLeaving)
        throw new MosrunError('refused', `${own.name} is leaving the cluster: nothing leaves it any more`);
    },
    members,
    peers,
    connectSeconds: () => configuration.migration.connect_timeout_seconds,
    route: (route) => gate.route(route),
    unroute: (session) => gate.unroute(session),
    requestFor: (pid, guest) => node.requestFor(pid, residents.history.read(pid)?.command ?? null, guest),
    whyNotTo: (name, pid, abroad = residents.jobs.jobOf(pid)?.abroad ?? false) =>
      clusters.whyNotTo(name, { abroad, privileges: () => privilegesOf(pid), at: residents.migrations.whereIs(pid) }),
    asOrdinary: (name) => clusters.takesOrdinaryOnly(name),
  });
  const residents: Residents = new Residents(context, sessions.forMoves);

  const automatic = new Automatic(context, {
    members,
    residents,
    links,
    usages: (name, some) => sessions.usages(name, some),
    clusters,
    freezer,
  });
  const flood = new FloodControl(context, {
    node,
    residents,
    freezer,
    automatic,
    sessions,
    isLeaving: () => operations.isLeaving,
  });
  const neighbours = new Neighbours({
    peers,
    members,
    configuration: () => configuration,
    homeAt: (home) => guests.addressOf(home),
  });
  const tellState = (before: Heartbeat['state']): void => {
    if (node.state !== before) events.tell('node-changed', { name: own.name, state: node.state, why: null }, 'everyone');
  };
  const operations: Operations = new Operations({
    self: own.name,
    clock,
    guests,
    residents,
    isolate: () => {
      context.settings.change({ isolated: true });
    },
    memoryOf: (pid) => sessions.memoryOf(pid, residents.whereIs(pid)).catch(() => 0),
    aheadOf: (pid) => addon.inspect(pid)?.aheadBytes ?? 0,
    homeward: (pid, bring) => flood.homeward(pid, bring),
    recall: (home, sessions) => neighbours.recall(home, sessions, null),
    sayGoodbye: () => neighbours.sayGoodbye(),
    end: () => {
      void gate.quit().finally(options.end);
    },
    onLeaving: tellState,
    log: note,
  });

  const identify = (descriptor: number): PeerCredentials => addon.peerCredentials(descriptor);
  const streams = new EventStreams(events, clock);
  const metrics = new Metrics({
    listen: (listener) => void events.listen(listener),
    self: own.name,
    heartbeat: () => node.heartbeat(),
    nodes: () => members.nodes().filter(({ name }) => clusterOf(name) === null),
    partnerNodes: () => members.nodes().filter(({ name }) => clusterOf(name) !== null),
    refused: () => ({ connections: clusters.turnedAway.total, datagrams: members.refused }),
    processes: () => residents.table.list(),
    streams: () => streams.count,
  });
  const handlers = apiHandlers({
    context,
    members,
    residents,
    automatic,
    flood,
    guests,
    gate,
    metrics,
    askAdmission: (name, pid) => sessions.refusal(name, pid),
    operations,
    changeSettings: (change) => {
      const before = node.state;
      context.settings.change(change);
      note('settings changed', { ...change });
      tellState(before);
    },
    streams,
    configurationError: () => configurationError,
    clusters,
    datagramsRefused: () => members.refused,
  });
  const api = localServer(handlers, identify);
  const launches = launchServer(
    launchServices({
      interpret,
      conduct: () => context.configuration().jobs,
      identify: (socket) => peerOf(socket, identify),
      self: own.name,
      members,
      residents,
      automatic,
      sessions,
      clusters,
      log: note,
    }),
  );
  const visits = new Visits(context, {
    node,
    guests,
    gate,
    clusters,
    residents,
    closed: () => operations.closed,
    members,
    gossip,
    recall: (peer, sessions, reason) =>
      recallHere(residents, own.name, {
        peer,
        sessions,
        reason,
        elsewhere: (pid) => automatic.elsewhere(pid, peer),
        homeward: (pid, bring) => flood.homeward(pid, bring),
      }),
    sendAway: (home, some, reason) => neighbours.recall(home, some, reason),
    link,
    list: () => readList(directory),
    strangersAreExpected: () => joins.areExpected,
    admit: (request, from) => joins.admit(request, from),
  });
  const server = peerServer(credentials, clusters.authorities, visits.services(), handlers);

  const thrift = new Thrift(clock, addon);

  const stop = async (): Promise<void> => {
    manager.stopping();
    thrift.stop();
    automatic.balancer.stop();
    flood.stop();
    visits.stop();
    clusters.stop();
    gossip.stop();
    node.stop();
    gate.close();
    residents.stop();
    peers.close();
    await streams.close('the daemon ends: connect again when it is back');
    await closeServers([api, launches, server], clock);
    for (const name of ['mosd.sock', 'launch.sock']) removeFile(runtime(name));
    note('mosd has ended', {});
  };

  node.start();
  for (const part of [residents, guests, freezer]) part.load();
  try {
    await listenOn(api, { path: runtime('mosd.sock'), mode: 0o666 });
    await listenOn(launches, { path: runtime('launch.sock'), mode: 0o666 });
    await listenOn(server, { host: own.address, port: own.controlPort });
    await gate.start();
  } catch (error) {
    // What listens already, and what looks again and again, would keep a process alive that serves nobody.
    await stop();
    throw error;
  }
  await gossip.start();
  clusters.start();
  visits.start();
  automatic.balancer.start();
  flood.start();
  await guests.start();
  thrift.start();
  manager.ready(`node ${own.name} of cluster ${configuration.cluster}`);
  note('mosd is ready', { node: own.name, cluster: configuration.cluster, address: own.address });

  return { reload, stop };
}
