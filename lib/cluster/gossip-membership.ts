/**
 * Membership by gossip: each step this node tells one other what it knows, and that one says that it has heard. One that has not heard is asked over
 * TLS, as is one that nothing is known of; so datagrams make knowledge cheap, and nothing depends on them: where they are lost, all is asked for.
 *
 * Nodes of partners are told of the telling node alone, and believed about themselves alone; what they said is passed on within the own cluster.
 */
import type { Heartbeat } from '../shared/wire.js';
import { Board, type News } from './board.js';
import { type ClockOffset, better, clockOffset } from './clock-offset.js';
import { type Datagram, type Heard, MOST_ENTRIES, type Received, checksumOf, inDatagrams } from './datagrams.js';
import type { GossipPorts } from './gossip-ports.js';
import type { Membership, NodeAddress, NodeState, NodeView } from './membership.js';
import { clusterOf, consider, ownNameOf } from './names.js';

interface Peer {
  address: NodeAddress;
  /** Its last sign of life to this node itself. */
  lastHeard: number | null;
  /** Why this node cannot reach it, whatever others say; null: it can, or has not tried. */
  unreachable: string | null;
  /** Of the newest datagram from it. */
  life: number;
  sequence: number;
  asking: boolean;
  nextAsk: number;
  /** Forgets to wait for its word. */
  cancel: () => void;
  told: { state: NodeState; bootId: string | null };
  /** It said goodbye, and is believed to be back only when it says so. */
  left: boolean;
  /** Which a datagram has no room for. */
  labels: readonly string[];
  /** The news it was told last, and when; null: none yet. */
  toldNews: { sequence: number; at: number } | null;
  clock: ClockOffset | null;
}

/** So many are asked at the start: in a small cluster all. */
const ASKED_AT_START = 32;
/** One whose key is not known is asked for it no more often. */
const ASK_PAUSE_SECONDS = 1;
const AGAIN_SECONDS = 0.25;
/** Looked at in a step for whether they have fallen silent. */
const LOOKED_AT = 256;

export class GossipMembership implements Membership {
  private readonly board: Board<Heartbeat>;
  private readonly peers = new Map<string, Peer>();
  /** By what datagrams call them. */
  private readonly names = new Map<string, string>();
  /** Of what came as a datagram: from nobody known, or not signed. */
  refused = 0;
  private sequence = 0;
  private looked = 0;
  private running = false;
  private cancel = (): void => {};

  constructor(
    nodes: readonly NodeAddress[],
    private readonly ports: GossipPorts,
  ) {
    const { self, clock, random, stepSeconds } = ports;
    this.board = new Board({
      self,
      clock,
      random,
      window: MOST_ENTRIES,
      stepSeconds,
      isNear: (node) => clusterOf(node) === null,
    });
    this.replace(nodes);
  }

  get self(): NodeAddress {
    return this.peer(this.ports.self).address;
  }

  private peer(name: string): Peer {
    const found = this.peers.get(name);
    if (!found) throw new Error(`node ${name} is not in its own list`);
    return found;
  }

  replace(nodes: readonly NodeAddress[]): void {
    const { self } = this.ports;
    const wanted = new Map(nodes.map((node) => [node.name, node]));
    for (const [name, { cancel }] of this.peers) {
      if (wanted.has(name)) continue;
      cancel();
      this.peers.delete(name);
      this.board.forget(name);
    }
    this.names.clear();
    for (const address of nodes) {
      this.names.set(inDatagrams(address), address.name);
      const known = this.peers.get(address.name);
      const { address: was } = known ?? {};
      if (
        known &&
        was?.address === address.address &&
        was.controlPort === address.controlPort &&
        inDatagrams(was) === inDatagrams(address)
      ) {
        known.address = address;
        continue;
      }
      known?.cancel();
      this.board.forget(address.name);
      this.board.meet(address.name);
      const told = { state: 'down' as const, bootId: null };
      const nothing = {
        lastHeard: null,
        unreachable: null,
        life: 0,
        sequence: 0,
        asking: false,
        nextAsk: 0,
        cancel: () => {},
        left: false,
        labels: [],
        toldNews: null,
        clock: null,
      };
      this.peers.set(address.name, { address, told, ...nothing });
      if (this.running && address.name !== self) this.ask(address.name);
    }
  }

  start(): void {
    const { self, random } = this.ports;
    this.running = true;
    const others = [...this.peers.keys()].filter((name) => name !== self);
    const first = others.length <= ASKED_AT_START ? others : others.toSorted(() => random() - 0.5).slice(0, ASKED_AT_START);
    for (const name of first) this.ask(name);
    this.plan();
  }

  stop(): void {
    this.running = false;
    this.cancel();
    for (const { cancel } of this.peers.values()) cancel();
  }

  private plan(): void {
    this.cancel = this.ports.clock.after(this.board.pauseSeconds(), () => {
      this.step();
      this.plan();
    });
  }

  private step(): void {
    this.board.refresh(this.ports.own(null));
    const target = this.board.target();
    if (target !== null) this.tell(target);
    const names = [...this.peers.keys()];
    for (let each = 0; each < Math.min(LOOKED_AT, names.length); each++) {
      this.looked = (this.looked + 1) % names.length;
      this.compare(names[this.looked] as string);
    }
  }

  private tell(name: string): void {
    const { clock, answerSeconds } = this.ports;
    const peer = this.peer(name);
    const cluster = clusterOf(name);
    const itself = (): News<Heartbeat> => ({ node: this.ports.self, ageSeconds: 0, facts: this.ports.own(cluster), gone: null });
    const news = cluster === null ? this.board.message() : [itself()];
    peer.toldNews = { at: clock.seconds(), sequence: this.send(peer.address, 'news', news) };
    peer.cancel();
    peer.cancel = clock.after(answerSeconds, () => {
      this.ask(name);
    });
  }

  /** @returns its number. */
  private send(to: NodeAddress, kind: Datagram['kind'], entries: readonly News<Heartbeat>[], heard?: Heard): number {
    const news = entries.flatMap((one) => {
      const address = this.peers.get(one.node)?.address;
      return address === undefined ? [] : [{ ...one, node: inDatagrams(address) }];
    });
    const { life, authority } = this.ports;
    const clusters =
      to.authority !== undefined && authority !== undefined ? { clusters: { from: authority, to: to.authority } } : {};
    const sequence = ++this.sequence;
    const said = { ...clusters, life, sequence, news, ...(heard ? { heard } : {}) };
    this.ports.send(to, { kind, from: this.self.number, to: to.number, ...said });
    return sequence;
  }

  /** A datagram has come, from whomever. */
  receive(received: Received): void {
    if (!this.running) return;
    const { clusters } = received;
    const isForUs = received.to === this.self.number && (!clusters || clusters.to === this.ports.authority);
    const name = this.names.get(clusters ? `${received.from}@${clusters.from}` : `${received.from}`);
    const peer = name === undefined || !isForUs ? undefined : this.peers.get(name);
    if (name === undefined || !peer || name === this.ports.self) {
      this.refused++;
      return;
    }
    // An old one, sent again by somebody who has heard it.
    if (received.life < peer.life || (received.life === peer.life && received.sequence <= peer.sequence)) return;
    const signed = this.ports.isSigned(peer.address, received);
    if (signed === null) this.ask(name);
    if (!signed) {
      if (signed === false) this.refused++;
      return;
    }
    Object.assign(peer, { life: received.life, sequence: received.sequence });
    this.noteAlive(peer);
    if (received.kind === 'heard') {
      peer.cancel();
      const { toldNews: news } = peer;
      if (news && received.heard?.sequence === news.sequence) this.compareClocks(peer, received.heard.clockSeconds, news.at);
      return;
    }
    this.send(peer.address, 'heard', [], { sequence: received.sequence, clockSeconds: this.ports.clock.wallSeconds() });
    // Of another cluster a node speaks for itself alone: what it says of its neighbours, of ours or of third ones is nothing to go by.
    const said = clusters
      ? received.news
          .filter(({ node }) => node === `${received.from}`)
          .map((one) => ({ ...one, node: inDatagrams(peer.address) }))
      : received.news;
    const news = said.flatMap((one) => {
      const node = this.names.get(one.node);
      return node === undefined ? [] : [{ ...one, node, facts: one.facts && { ...one.facts, node: ownNameOf(node) } }];
    });
    const own = news.find(({ node, facts }) => node === name && facts !== null);
    if (own?.facts) this.heard(name, own.facts);
    this.board.hear(news.filter((one) => one.node !== name && this.believes(one)));
    for (const { node } of news) this.compare(node);
    for (const { node, facts } of news) if (facts) this.askForLabels(node, facts);
  }

  /** It has others than when it was asked: a datagram only tells so. */
  private askForLabels(node: string, { labels_checksum: checksum = 0 }: Heartbeat): void {
    const peer = this.peer(node);
    if (checksum === 0) peer.labels = [];
    else if (checksum !== checksumOf(peer.labels)) this.ask(node);
  }

  /** Where others say what this node can see for itself, it looks. */
  private believes({ node, gone }: News<Heartbeat>): boolean {
    const peer = this.peer(node);
    // One that has said goodbye is not back because others have not heard of it yet.
    if (peer.left) return false;
    if (gone === null) {
      if (peer.unreachable !== null) this.ask(node);
      return true;
    }
    // That another cannot reach it may be the other's trouble. In a large cluster not all can go and see.
    if (this.view(peer).state === 'down' || this.peers.size > ASKED_AT_START) return true;
    this.ask(node);
    return false;
  }

  /** What its clock has shown since this node asked. */
  private compareClocks(peer: Peer, shown: number, askedAt: number): void {
    const { clock } = this.ports;
    peer.clock = better(peer.clock, clockOffset(clock, shown, askedAt));
  }

  private noteAlive(peer: Peer): void {
    peer.lastHeard = this.ports.clock.seconds();
    peer.unreachable = null;
  }

  /** It has spoken itself. */
  private heard(name: string, facts: Heartbeat): void {
    const peer = this.peer(name);
    if (peer.left && facts.state === 'leaving') return;
    peer.left = false;
    this.noteAlive(peer);
    this.board.hear([{ node: name, ageSeconds: 0, facts, gone: null }]);
    this.ports.onHeard(peer.address, facts);
    this.compare(name);
  }

  private ask(name: string): void {
    const { self, clock, ask, timeoutSeconds } = this.ports;
    const peer = this.peers.get(name);
    if (!peer || name === self || peer.asking || !this.running || clock.seconds() < peer.nextAsk) return;
    peer.asking = true;
    const askedAt = clock.seconds();
    const settle = (change: () => void): void => {
      Object.assign(peer, { asking: false, nextAsk: clock.seconds() + ASK_PAUSE_SECONDS });
      if (this.peers.get(name) === peer && this.running) change();
    };
    ask(peer.address, timeoutSeconds).then(
      (facts) => {
        settle(() => {
          peer.labels = facts.labels ?? [];
          if (facts.clock_seconds !== undefined) this.compareClocks(peer, facts.clock_seconds, askedAt);
          this.heard(name, facts);
        });
      },
      (error: unknown) => {
        settle(() => {
          this.fail(peer, error instanceof Error ? error.message : String(error));
        });
      },
    );
  }

  private fail(peer: Peer, why: string): void {
    const { clock, timeoutSeconds } = this.ports;
    const { name } = peer.address;
    if (peer.left) return;
    // One lost question is no death, unless nothing has been heard for as long as an answer may take.
    if (peer.lastHeard !== null && clock.seconds() - peer.lastHeard < timeoutSeconds) {
      peer.nextAsk = 0;
      peer.cancel();
      peer.cancel = clock.after(AGAIN_SECONDS, () => {
        this.ask(name);
      });
      return;
    }
    // Once is enough: others may reach it.
    if (peer.unreachable === null) this.board.lose(name, why);
    peer.unreachable = why;
    this.compare(name);
  }

  heardFrom(name: string): void {
    const peer = this.peers.get(name);
    if (!peer || this.view(peer).state !== 'down') return;
    peer.nextAsk = 0;
    this.ask(name);
  }

  left(name: string): void {
    const peer = this.peers.get(name);
    if (!peer || name === this.ports.self) return;
    peer.left = true;
    this.board.lose(name, 'it was shut down');
    this.compare(name);
  }

  /** Tells of what has become of a node since it was told last. */
  private compare(name: string): void {
    const peer = this.peers.get(name);
    if (!peer || name === this.ports.self) return;
    const view = this.view(peer);
    const { state: before, bootId } = peer.told;
    const now = view.state === 'down' ? bootId : (view.facts?.boot_id ?? null);
    if (view.state === before && now === bootId) return;
    const isAnother = view.state !== before || bootId !== null;
    peer.told = { state: view.state, bootId: now };
    if (isAnother) this.ports.onChange(view, before);
  }

  private view({ address, lastHeard, unreachable, labels, clock: offset }: Peer): NodeView {
    const { self, own, clock } = this.ports;
    if (address.name === self) {
      const facts = own(null);
      const itself = { self: true, why: null, lastSeenSeconds: 0, clockOffsetSeconds: 0 };
      return { ...address, ...itself, state: facts.state, facts, labels: facts.labels ?? [] };
    }
    const { gone, facts, ageSeconds } = this.board.about(address.name);
    const why = unreachable ?? gone;
    const state = why === null ? (facts?.state ?? 'down') : 'down';
    const heardSeconds = lastHeard === null ? null : clock.seconds() - lastHeard;
    // What is known of it is as old as its news, however lately it has answered.
    const lastSeenSeconds = why === null ? ageSeconds : heardSeconds;
    return { ...address, self: false, state, why, lastSeenSeconds, facts, labels, clockOffsetSeconds: offset?.seconds ?? null };
  }

  nodes(): NodeView[] {
    const cluster = ({ name }: NodeView): string => clusterOf(name) ?? '';
    return [...this.peers.values()]
      .map((peer) => this.view(peer))
      .sort((one, other) => cluster(one).localeCompare(cluster(other)) || one.number - other.number);
  }

  latest(most: number, names: ReadonlySet<string>): NodeView[] {
    if (this.peers.size <= most) return this.nodes();
    const chosen = new Set([this.ports.self, ...names]);
    const youngest = this.board.youngest(2 * most).flatMap(({ node }) => (chosen.has(node) ? [] : node));
    for (const node of consider(youngest, Math.max(0, most - chosen.size))) chosen.add(node);
    return [...chosen].flatMap((name) => this.peers.get(name) ?? []).map((peer) => this.view(peer));
  }

  find(wanted: string): NodeView | null {
    // A name wins over an address, an address over a number: a node may be called "7".
    const all = [...this.peers.values()];
    const found =
      this.peers.get(wanted) ??
      all.find(({ address }) => address.address === wanted) ??
      all.find(({ address }) => address.authority === undefined && /^\d+$/.test(wanted) && address.number === Number(wanted));
    return found ? this.view(found) : null;
  }
}
