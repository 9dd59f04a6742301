/** The clusters that this node knows beside its own: who they are, what they may, and how much their processes count here. */
import path from 'node:path';
import type { Socket } from 'node:net';
import {
  Identification,
  type Introduction,
  type NodeAddress,
  OWN_PRIORITY,
  PUBLIC_PRIORITY,
  PUBLIC_PREFIX,
  type Partner,
  PartnerNodes,
  type Peer,
  clusterOf,
  fingerprintText,
  ownNameOf,
} from '../cluster/index.js';
import type { PartnerDocument } from '../shared/documents.js';
import { type Context, addressesIn } from './context.js';
import { PublicClusters } from './public-clusters.js';
import { TurnedAway } from './turned-away.js';

export interface ClustersPorts {
  /** Certificate of the own authority, PEM. */
  ca: string;
  /** Asks any node of a partner for the list of its cluster. */
  ask: (node: NodeAddress) => Promise<Introduction>;
  /** Other nodes of partners are known than before. */
  onNodes: () => void;
}

/** A process that is to leave, as far as that counts for where it may go. */
export interface Traveller {
  /** May go to other clusters (mosrun -G). */
  abroad: boolean;
  /** What it may beyond what an ordinary user's program may; null: nothing. */
  privileges: () => string | null;
  /** The node it is on. */
  at: string;
}

export class Clusters {
  readonly turnedAway: TurnedAway;
  private readonly identification: Identification;
  private readonly partnerNodes: PartnerNodes;
  private readonly strangers: PublicClusters;

  constructor(
    private readonly context: Context,
    ports: ClustersPorts,
  ) {
    const { clock, events, log } = context;
    this.identification = new Identification(ports.ca);
    this.strangers = new PublicClusters(path.join(context.configuration().paths.state, 'public-clusters.json'), clock);
    this.partnerNodes = new PartnerNodes({ clock, random: Math.random, ask: ports.ask, onChange: ports.onNodes });
    this.turnedAway = new TurnedAway(clock, (entry) => {
      log.info({ ...entry }, 'not answered');
      events.tell('connection-refused', entry, null);
    });
    this.replace();
  }

  private get partners(): readonly Partner[] {
    return this.context.configuration().partners;
  }

  /** Certificates of partners' authorities, PEM. */
  get authorities(): string[] {
    return this.partners.map(({ ca }) => ca);
  }

  /** The configuration was read (again). */
  replace(): void {
    this.identification.replace(this.partners);
    this.partnerNodes.replace(this.partners);
  }

  start(): void {
    this.partnerNodes.start();
  }

  stop(): void {
    this.partnerNodes.stop();
  }

  identify(socket: Socket): Peer {
    return this.identification.of(socket);
  }

  /** The own nodes, and of those of partners the ones that are known. */
  nodes(): NodeAddress[] {
    return [...addressesIn(this.context.configuration()), ...this.partnerNodes.nodes()];
  }

  partner(name: string): Partner | null {
    return this.partners.find((one) => one.name === name) ?? null;
  }

  /** Certificate of another cluster's authority, PEM. */
  authorityOf(cluster: string): string | null {
    return this.partner(cluster)?.ca ?? this.strangers.authorityOf(cluster);
  }

  /** Lower is better. @param cluster null: the own. */
  priorityOf(cluster: string | null): number {
    if (cluster === null) return OWN_PRIORITY;
    const partner = this.partner(cluster);
    return partner ? (this.context.settings.current.priorities[cluster] ?? partner.priority) : PUBLIC_PRIORITY;
  }

  /** The cluster of a home, and how much its processes count here. */
  about(home: string): { cluster: string; priority: number } {
    const cluster = clusterOf(home);
    return { cluster: cluster ?? this.context.configuration().cluster, priority: this.priorityOf(cluster) };
  }

  /** A node of the own cluster may be named as those of others are. */
  plain(name: string): string {
    return clusterOf(name) === this.context.configuration().cluster ? ownNameOf(name) : name;
  }

  /** A node of a partner has shown itself. */
  heardFrom(name: string, isKnown: boolean): void {
    const cluster = clusterOf(name);
    if (cluster !== null && !isKnown) this.partnerNodes.heardOfNew(cluster);
  }

  /** Why a node of a cluster that nobody has configured is not answered; null: it is. */
  whyUnknown(peer: Extract<Peer, { kind: 'foreign' }>, address: string): string | null {
    const { cluster, guests } = this.context.configuration();
    if (guests.public) return this.strangers.whyNot(peer, address);
    return `cluster ${cluster} does not know the cluster of ${peer.node}, whose authority has the fingerprint ${peer.fingerprint}: its administrator makes it a partner with mosconf partner add`;
  }

  /** What this cluster tells another of itself. */
  introduce(): Introduction {
    const { cluster, nodes } = this.context.configuration();
    return {
      cluster,
      nodes: nodes.map(({ name, number, address, control_port, data_port }) => ({
        name,
        number,
        address,
        control_port,
        data_port,
      })),
    };
  }

  /** Why one of this node's processes does not go to that node; null: as far as clusters count it may. */
  whyNotTo(node: string, { abroad, privileges, at }: Traveller): string | null {
    const cluster = clusterOf(node);
    if (cluster === null) return null;
    if (!abroad) return 'it stays within its cluster: mosrun -G lets a program go to others';
    if (this.context.settings.current.isolated) return 'this node is isolated from other clusters (mosctl rejoin)';
    const partner = this.partner(cluster);
    if (!partner) return `${cluster} is no partner of this cluster: see mosconf partner list`;
    const file = `partners/${cluster}.toml`;
    if (!partner.may_be_sent_to) return `no process is sent to ${cluster}: may_be_sent_to in ${file} says so`;
    const host = clusterOf(at);
    if (host !== null && host !== cluster && this.partner(host)?.may_pass_on !== true)
      return `${host}, where it is, may not pass it on to ${cluster}: may_pass_on in partners/${host}.toml says so; it can go by its home`;
    const rights = partner.privileged ? null : privileges();
    return rights === null ? null : `it has ${rights}, and such processes do not go to ${cluster}: privileged in ${file} says so`;
  }

  /** Does only a process with an ordinary user's rights go to that node? */
  takesOrdinaryOnly(node: string): boolean {
    const cluster = clusterOf(node);
    return cluster !== null && this.partner(cluster)?.privileged !== true;
  }

  /** Is that a data port of a node that is known? Where guests of others are to be sent on to nobody else can be meant. */
  hasDataPort(address: string, port: number): boolean {
    return this.nodes().some((node) => node.address === address && node.dataPort === port);
  }

  /** Why a partner's nodes are not known, where they are not; null: it is none, or they are. */
  whyNoNode(name: string): string | null {
    const cluster = clusterOf(name);
    const view = this.partnerNodes.views().find(({ partner }) => partner.name === cluster);
    if (view) return view.problem === null ? null : `partner ${cluster} cannot be asked for its nodes: ${view.problem}`;
    return cluster === null || cluster.startsWith(PUBLIC_PREFIX) ? null : `there is no partner ${cluster}: see mosctl status`;
  }

  document(): PartnerDocument[] {
    return this.partnerNodes.views().map(({ partner, nodes, callsItself, problem }) => ({
      name: partner.name,
      description: partner.description,
      cluster: callsItself,
      fingerprint: fingerprintText(partner.ca),
      priority: this.priorityOf(partner.name),
      configured_priority: partner.priority,
      may_come: partner.may_come,
      may_be_sent_to: partner.may_be_sent_to,
      may_pass_on: partner.may_pass_on,
      privileged: partner.privileged,
      nodes,
      problem,
    }));
  }
}
