/** What this node does for others: takes their processes, refuses them, has some make way for better ones, and answers for all of them. */
import type { Socket } from 'node:net';
import { type Membership, type NodeList, OWN_PRIORITY, PUBLIC_PRIORITY, clusterOf } from '../cluster/index.js';
import type { Host, Refusal, RefusalReason, Shortage } from '../placement/index.js';
import { MosrunError } from '../shared/errors.js';
import type {
  Heartbeat,
  JoinAnswer,
  JoinRequest,
  LinkRequest,
  RecallResult,
  SessionAnswer,
  SessionRequest,
} from '../shared/wire.js';
import type { Clusters } from './clusters.js';
import type { Context } from './context.js';
import { Evictions } from './evictions.js';
import type { GateKeeper } from './gate-keeper.js';
import type { Gossip } from './gossip.js';
import type { Guests } from './guests.js';
import { OwnWork } from './own-work.js';
import type { PeerServices } from './peer-server.js';
import type { Residents } from './residents.js';
import type { ThisNode } from './this-node.js';

export interface VisitPorts {
  node: ThisNode;
  guests: Guests;
  gate: Pick<GateKeeper, 'problem'>;
  clusters: Clusters;
  residents: Pick<Residents, 'jobs' | 'migrations' | 'isLaunching'>;
  /** Gives a guest a channel to another node, or to its home's freezer. */
  link: (request: LinkRequest & { guest: string }) => Promise<void>;
  /** Why no guest is taken now; null when nothing of the node's own keeps them off. */
  closed: () => string | null;
  members: Membership;
  gossip: Pick<Gossip, 'meet'>;
  recall: (peer: string, sessions: readonly string[], reason: string | null) => Promise<RecallResult[]>;
  /** Has a home take some of its processes away from here. */
  sendAway: (home: string, sessions: readonly string[], reason: string) => Promise<RecallResult[]>;
  list: () => NodeList | null;
  strangersAreExpected: () => boolean;
  admit: (request: JoinRequest, from: string) => Promise<JoinAnswer>;
}

type Unwanted = NonNullable<Host['unwanted']>;

/** A better process waits so long for worse ones to have left. */
const ROOM_SECONDS = 5;
const LOOK_SECONDS = 0.03;

export class Visits {
  private readonly evictions: Evictions;
  private readonly ownWork: OwnWork;

  constructor(
    private readonly context: Context,
    private readonly ports: VisitPorts,
  ) {
    const { clock, configuration, events, log, own } = context;
    const { guests, residents, sendAway } = ports;
    this.ownWork = new OwnWork(own.name, clock, residents);
    this.evictions = new Evictions({
      clock,
      guests: () => guests.visitors(),
      areOwn: () => guests.areOwn,
      ownBest: () => this.ownBest(),
      always: () => configuration().guests.leave === 'always',
      recall: sendAway,
      tell: (session, reason) => {
        const guest = guests.about(session);
        if (guest) events.tell('guest-must-leave', { ...guest, reason }, null);
        log.info({ session, reason }, 'a guest must leave');
      },
      log: (message, facts) => {
        log.info(facts, message);
      },
    });
  }

  start(): void {
    this.evictions.start();
  }

  stop(): void {
    this.evictions.stop();
  }

  /** The best priority of what runs here and is no guest; null: nothing does. */
  private ownBest(): number | null {
    return this.ownWork.isHere ? OWN_PRIORITY : null;
  }

  /** What others ask of this node. */
  services(): PeerServices {
    const { clusters, guests, members, recall, list, strangersAreExpected, admit } = this.ports;
    return {
      identify: (socket) => clusters.identify(socket),
      knows: (name) => this.isListed(name),
      whyUnknown: (peer, address) => clusters.whyUnknown(peer, address),
      turnedAway: (peer, address, why) => {
        if (why !== null) clusters.turnedAway.note(peer, address, why);
      },
      heardFrom: (name, socket) => {
        this.heardFrom(name, socket);
      },
      heartbeat: (cluster) => this.heartbeat(cluster),
      introduce: () => clusters.introduce(),
      refusal: (request) => {
        if (request.withheld === null) return this.refusal(request)?.why ?? null;
        this.tellRefused(request, 'withheld', `${request.home} does not send process ${request.pid}: ${request.withheld}`);
        return request.withheld;
      },
      openSession: (request, address) => this.open(request, address),
      dropSession: (home, session) => guests.drop(home, session),
      sessionUsage: (home, session) => guests.usage(home, session),
      processUsages: (home, sessions) => guests.usages(home, sessions),
      recall,
      goodbye: (peer) => {
        members.left(peer);
      },
      link: (home, session, request) => this.link(home, session, request),
      list,
      strangersAreExpected,
      admit,
    };
  }

  private isListed(name: string): boolean {
    return this.ports.members.find(name)?.name === name;
  }

  private heardFrom(name: string, socket: Socket): void {
    const { gossip, clusters, members } = this.ports;
    const isListed = this.isListed(name);
    // Of others a cluster can have as many as it likes.
    if (isListed) gossip.meet(name, socket);
    clusters.heardFrom(name, isListed);
    members.heardFrom(name);
  }

  /** What is said to nodes of a cluster: to another one that may not come now, that this node takes none. */
  heartbeat(cluster: string | null): Heartbeat {
    const { node } = this.ports;
    const own = node.heartbeat();
    return cluster !== null && own.state === 'up' && this.whyUnwanted(cluster) !== null ? { ...own, state: 'blocked' } : own;
  }

  /** Why nobody of that cluster may come, now or ever; null: as far as its cluster counts it may. */
  private whyUnwanted(cluster: string): Unwanted | null {
    return this.whyNever(cluster) ?? this.whyNotNow(cluster);
  }

  private whyNever(cluster: string): Unwanted | null {
    const { settings, configuration } = this.context;
    const partner = this.ports.clusters.partner(cluster);
    if (!partner && !configuration().guests.public) return { reason: 'cluster', why: `cluster ${cluster} is not known here` };
    if (partner?.may_come === false)
      return {
        reason: 'cluster',
        why: `processes of ${cluster} may not come: may_come in partners/${cluster}.toml says so there`,
      };
    if (settings.current.isolated)
      return { reason: 'cluster', why: 'it is isolated from other clusters (mosctl rejoin): choose another node' };
    if (!settings.current.grid_closed) return null;
    return { reason: 'cluster', why: 'it takes no guests of other clusters (mosctl opengrid): choose another node' };
  }

  private whyNotNow(cluster: string): Unwanted | null {
    const { clusters, guests } = this.ports;
    const { settings, configuration } = this.context;
    const priority = clusters.priorityOf(cluster);
    const { grid_guests: most } = settings.current;
    const abroad = this.staying(priority).filter(({ home }) => clusterOf(home) !== null).length;
    if (most !== null && abroad >= most)
      return {
        reason: 'grid-guests',
        why: `it has ${abroad} guests of other clusters, and takes ${most} at most (mosctl gridguests)`,
      };
    if (configuration().guests.leave !== 'always') return null;
    const best = Math.min(
      this.ownBest() ?? PUBLIC_PRIORITY,
      ...guests.present().map(({ home }) => clusters.priorityOf(clusterOf(home))),
    );
    return best < priority
      ? {
          reason: 'priority',
          why: `better processes are there, of priority ${best} before ${priority}: it comes when they have left`,
        }
      : null;
  }

  /** Those that count for one of that priority: not those that are leaving for a better one. */
  private staying(priority: number) {
    const { guests, clusters } = this.ports;
    return guests
      .present()
      .filter(({ session, home }) => clusters.priorityOf(clusterOf(home)) <= priority || !this.evictions.isLeaving(session));
  }

  private refusal(request: SessionRequest): Refusal | null {
    const { node, clusters, closed, gate } = this.ports;
    const cluster = clusterOf(request.home);
    const staying = this.staying(clusters.priorityOf(cluster));
    const unwanted =
      cluster === null ? null : (this.whyNever(cluster) ?? this.whyPrivileged(cluster, request) ?? this.whyNotNow(cluster));
    return node.refusal(request, { trouble: closed() ?? gate.problem, guests: staying.length, unwanted });
  }

  private whyPrivileged(cluster: string, { privileged, uid }: SessionRequest): Unwanted | null {
    const rights = privileged ?? (uid === 0 ? "root's rights" : null);
    if (rights === null || this.ports.clusters.partner(cluster)?.privileged === true) return null;
    const why = `it has ${rights}, and no such process of ${cluster} comes here: privileged in partners/${cluster}.toml says so there`;
    return { reason: 'privileged', why };
  }

  private tellRefused({ home, pid, uid, command }: SessionRequest, reason: string, message: string): void {
    this.context.log.info({ home, pid, reason: message }, 'session refused');
    this.context.events.tell('guest-refused', { home, home_pid: pid, uid, command, reason, message }, null);
  }

  private async open(request: SessionRequest, address: string): Promise<SessionAnswer> {
    const { guests } = this.ports;
    const { own, configuration, log } = this.context;
    if (request.automatic) guests.checkHasTime(own.name);
    if (guests.present().length >= configuration().hosting.max_guests) await guests.refresh();
    const no = (await this.findRoom(request)) ? null : this.refusal(request);
    if (no) {
      this.tellRefused(request, no.reason, no.message);
      throw no;
    }
    const encrypted = request.encrypt || configuration().security.encrypt;
    const from = { address, port: request.control_port };
    const answer = await guests.open(request, own.address, own.dataPort, encrypted, from);
    log.info({ home: request.home, pid: request.pid, session: answer.session }, 'session opened');
    void this.evictions.look();
    return answer;
  }

  /** Has worse guests make way where that is all that is missing; true: it may come. */
  private async findRoom(request: SessionRequest): Promise<boolean> {
    const { clusters } = this.ports;
    const { clock } = this.context;
    const until = clock.seconds() + ROOM_SECONDS;
    const priority = clusters.priorityOf(clusterOf(request.home));
    // One that has left is no guest any more a moment before its memory is free.
    for (let isBegun = false; ; ) {
      const no = this.refusal(request);
      if (!no) return true;
      const shortage = this.shortageOf(no.reason, request);
      if (!shortage || clock.seconds() > until) return false;
      const is = await this.evictions.makeRoomFor(priority, `process ${request.pid} of ${request.home}`, shortage);
      if (!is && !isBegun) return false;
      isBegun = true;
      await new Promise<void>((resolve) => void clock.after(LOOK_SECONDS, resolve));
    }
  }

  private shortageOf(reason: RefusalReason, request: SessionRequest): Shortage | null {
    const none = { guests: 0, abroad: 0, memoryBytes: 0 };
    if (reason === 'guests') return { ...none, guests: 1 };
    if (reason === 'grid-guests') return { ...none, abroad: 1 };
    return reason === 'memory' ? { ...none, memoryBytes: this.ports.node.memoryMissing(request) } : null;
  }

  private async link(home: string, session: string, request: LinkRequest): Promise<void> {
    const { guests, clusters, link } = this.ports;
    const { own, configuration } = this.context;
    const guest = await guests.usage(home, session);
    if ((guest.encrypted || configuration().security.encrypt) && !request.encrypted) {
      throw new MosrunError('refused', `${own.name} sends no memory on unless encrypted: bring the process home first`);
    }
    const { address, port } = request;
    // Another cluster's node does not have this one connect to whomever it likes.
    if (clusterOf(home) !== null && !clusters.hasDataPort(address, port) && guests.addressOf(home)?.address !== address)
      throw new MosrunError(
        'refused',
        `${own.name} knows no node with data port ${address}:${port}: bring the process home first`,
      );
    await link({ guest: session, ...request });
  }
}
