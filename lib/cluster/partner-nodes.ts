/** Learns the nodes of partners: knocks at the addresses in their files, and asks whoever answers there who the others are. */
import type { Clock } from '../shared/clock.js';
import type { NodeAddress } from './membership.js';
import { authorityIdOf, nameIn } from './names.js';
import type { Introduction, Partner } from './partners.js';
import { anyNodeOf } from './peer-client.js';

export interface PartnerNodesPorts {
  clock: Clock;
  /** 0 ≤ x < 1. */
  random: () => number;
  /** Asks a node for the list of its cluster; rejects with the reason. */
  ask: (node: NodeAddress) => Promise<Introduction>;
  /** Other nodes are known than before. */
  onChange: () => void;
}

/** Where nobody has answered yet, longer with each time; and where somebody has. */
const FIRST_PAUSE_SECONDS = 0.5;
const LONGEST_PAUSE_SECONDS = 10;
const AGAIN_SECONDS = 20;
/** More than these a partner's node is not believed to have. */
const MOST_NODES = 1000;

interface Entry {
  partner: Partner;
  authority: string;
  nodes: NodeAddress[];
  /** As it calls itself; null: it has not been asked yet. */
  callsItself: string | null;
  /** Why it could not be asked last; null: it could. */
  problem: string | null;
  failures: number;
  next: number;
  cancel: () => void;
}

export interface PartnerView {
  partner: Partner;
  nodes: number;
  callsItself: string | null;
  problem: string | null;
}

export class PartnerNodes {
  private readonly entries = new Map<string, Entry>();
  private running = false;

  constructor(private readonly ports: PartnerNodesPorts) {}

  /** The nodes of all partners, as far as they are known. */
  nodes(): NodeAddress[] {
    return [...this.entries.values()].flatMap(({ nodes }) => nodes);
  }

  views(): PartnerView[] {
    return [...this.entries.values()].map(({ partner, nodes, callsItself, problem }) => ({
      partner,
      nodes: nodes.length,
      callsItself,
      problem,
    }));
  }

  /** The configuration was read (again). */
  replace(partners: readonly Partner[]): void {
    const wanted = new Map(partners.map((partner) => [partner.name, partner]));
    for (const [name, entry] of this.entries) {
      const partner = wanted.get(name);
      if (partner?.ca === entry.partner.ca) continue;
      entry.cancel();
      this.entries.delete(name);
    }
    for (const partner of partners) {
      const known = this.entries.get(partner.name);
      if (known) {
        known.partner = partner;
        // Another address may be what was missing.
        if (known.problem !== null) this.soon(known);
        continue;
      }
      const authority = authorityIdOf(partner.ca);
      const nothing = { nodes: [], callsItself: null, problem: null, failures: 0, next: 0, cancel: () => {} };
      const entry: Entry = { partner, authority, ...nothing };
      this.entries.set(partner.name, entry);
      if (this.running) this.soon(entry);
    }
  }

  start(): void {
    this.running = true;
    for (const entry of this.entries.values()) this.soon(entry);
  }

  stop(): void {
    this.running = false;
    for (const { cancel } of this.entries.values()) cancel();
  }

  /** A node of a partner has shown itself that is in no list yet. */
  heardOfNew(cluster: string): void {
    const entry = this.entries.get(cluster);
    if (entry && this.ports.clock.seconds() >= entry.next) this.soon(entry);
  }

  private soon(entry: Entry): void {
    entry.next = this.ports.clock.seconds() + FIRST_PAUSE_SECONDS;
    this.plan(entry, 0);
  }

  private plan(entry: Entry, seconds: number): void {
    entry.cancel();
    if (this.running) entry.cancel = this.ports.clock.after(seconds, () => void this.look(entry));
  }

  /** One of those that are known already, or are to be knocked at. */
  private someNode({ partner, nodes, failures }: Entry): NodeAddress {
    const { random } = this.ports;
    const one = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
    if (nodes.length > 0 && failures % 2 === 0) return one(nodes);
    const { address, port } = one(partner.nodes);
    return anyNodeOf(partner.name, address, port);
  }

  private async look(entry: Entry): Promise<void> {
    const { clock, ask, onChange } = this.ports;
    const { partner } = entry;
    try {
      const { cluster, nodes } = await ask(this.someNode(entry));
      if (this.entries.get(partner.name) !== entry || !this.running) return;
      const found = nodes.slice(0, MOST_NODES).map(({ name, number, address, control_port, data_port }) => ({
        name: nameIn(name, partner.name),
        number,
        address,
        controlPort: control_port,
        dataPort: data_port,
        authority: entry.authority,
      }));
      // Of two with one name, or one number, nobody could say which is meant.
      const isFirst = (node: NodeAddress, at: number): boolean =>
        found.findIndex(({ name, number }) => name === node.name || number === node.number) === at;
      const before = JSON.stringify(entry.nodes);
      Object.assign(entry, { nodes: found.filter(isFirst), callsItself: cluster, problem: null, failures: 0 });
      if (JSON.stringify(entry.nodes) !== before) onChange();
    } catch (error) {
      if (this.entries.get(partner.name) !== entry || !this.running) return;
      entry.failures++;
      entry.problem = error instanceof Error ? error.message : String(error);
    }
    const pause =
      entry.failures === 0 ? AGAIN_SECONDS : Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (entry.failures - 1));
    entry.next = clock.seconds() + FIRST_PAUSE_SECONDS;
    this.plan(entry, pause);
  }
}
