/** How a simulated node knows the others: as daemons do, by all of their code, or by their bulletin board alone, which leaves room for ten thousand. */
import {
  Board,
  GossipMembership,
  type Known,
  MOST_ENTRIES,
  type News as Told,
  type Names,
  type NodeAddress,
  type NodeView,
  type Received,
} from '../lib/cluster/index.js';
import type { Heartbeat } from '../lib/shared/wire.js';
import { at } from './lists.js';
import type { SimulatedClock } from './simulated-clock.js';
import type { Wires } from './wires.js';

/** As the daemon is set up unless told otherwise. */
const STEP_SECONDS = 0.5;
const ANSWER_SECONDS = 0.5;
const TIMEOUT_SECONDS = 2;
/** Of a datagram, one way. */
const WAY_SECONDS = 100e-6;
const NOTHING = Buffer.alloc(0);

export interface NewsPorts {
  self: number;
  addresses: readonly NodeAddress[];
  clock: SimulatedClock;
  random: () => number;
  wires: Wires;
  /** By the numbers of the nodes. */
  all: readonly News[];
  own: () => Heartbeat;
  /** Does that node belong to the same cluster? */
  isNear: (node: number) => boolean;
  /** How often this node has been started. */
  life: number;
}

export interface News {
  start(): void;
  stop(): void;
  /** See Membership of the daemon. */
  latest(most: number, names: ReadonlySet<string>): NodeView[];
  /** Does this node hold that one for alive? */
  believes(node: number): boolean;
  own(): Heartbeat;
}

/** All that daemons do to know each other, but for signatures and packets. */
export class DaemonNews implements News {
  private readonly members: GossipMembership;
  /** Those it has last been told of as being there. */
  private readonly up = new Set<string>();

  constructor(private readonly ports: NewsPorts) {
    const { self, addresses, random, life } = ports;
    // What it begins goes on when promises settle only once a question has been answered.
    const clock = ports.clock.plain;
    this.members = new GossipMembership(addresses, {
      self: at(addresses, self).name,
      clock,
      random,
      own: ports.own,
      stepSeconds: STEP_SECONDS,
      answerSeconds: ANSWER_SECONDS,
      timeoutSeconds: TIMEOUT_SECONDS,
      life,
      ask: (node) => this.ask(node.number),
      send: ({ number: to }, datagram) => {
        const received: Received = { ...datagram, signed: NOTHING, signature: NOTHING };
        clock.after(WAY_SECONDS, () => {
          const other = ports.all[to];
          if (ports.wires.reaches(self, to) && other instanceof DaemonNews) other.members.receive(received);
        });
      },
      isSigned: () => true,
      onHeard: () => {},
      onChange: ({ name, state }) => {
        if (state === 'down') this.up.delete(name);
        else this.up.add(name);
      },
    });
  }

  private ask(to: number): Promise<Heartbeat> {
    const { self, clock, wires, all, addresses } = this.ports;
    return new Promise((resolve, reject) => {
      const canReach = wires.reaches(self, to);
      clock.after(canReach ? 2 * WAY_SECONDS : TIMEOUT_SECONDS, () => {
        const other = all[to];
        if (!canReach || !wires.reaches(self, to) || !(other instanceof DaemonNews)) reject(new Error('no answer'));
        else {
          other.members.heardFrom(at(addresses, self).name);
          resolve(other.own());
        }
      });
    });
  }

  own(): Heartbeat {
    return this.ports.own();
  }

  start(): void {
    this.members.start();
  }

  stop(): void {
    this.members.stop();
  }

  latest(most: number, names: ReadonlySet<string>): NodeView[] {
    return this.members.latest(most, names);
  }

  believes(node: number): boolean {
    return node === this.ports.self || this.up.has(at(this.ports.addresses, node).name);
  }
}

/**
 * The board, and of the rest only that a node which has not answered for as long as a daemon waits is lost. Nodes that daemons would ask anew are
 * found again when they are heard of.
 */
export class BoardNews implements News {
  private readonly board: Board<Heartbeat>;
  private cancel = (): void => {};

  /** @param names shared by all boards. */
  constructor(
    private readonly ports: NewsPorts,
    names: Names,
  ) {
    const { self, addresses, random, isNear, clock } = ports;
    this.board = new Board({
      self: at(addresses, self).name,
      clock,
      random,
      window: MOST_ENTRIES,
      stepSeconds: STEP_SECONDS,
      isNear: (name) => isNear(Number(name)),
      names,
    });
    for (const { name } of addresses) this.board.meet(name);
  }

  own(): Heartbeat {
    return this.ports.own();
  }

  /** The first words, which all have heard at once. */
  hear(all: readonly Told<Heartbeat>[]): void {
    this.board.hear(all);
  }

  start(): void {
    this.cancel = this.ports.clock.plain.after(this.board.pauseSeconds(), () => {
      this.step();
      this.start();
    });
  }

  stop(): void {
    this.cancel();
  }

  private step(): void {
    const { self, clock, wires, all } = this.ports;
    this.board.refresh(this.own());
    const message = this.board.message();
    const target = this.board.target();
    if (target === null) return;
    const to = Number(target);
    const other = all[to];
    if (wires.reaches(self, to) && other instanceof BoardNews) other.board.hear(message);
    else
      clock.plain.after(ANSWER_SECONDS + TIMEOUT_SECONDS, () => {
        if (!wires.reaches(self, to)) this.board.lose(target, 'no answer');
      });
  }

  latest(most: number, names: ReadonlySet<string>): NodeView[] {
    const { self } = this.ports;
    const facts = this.own();
    const views = [this.view(self, { node: `${self}`, facts, gone: null, ageSeconds: 0 })];
    for (const name of names) if (name !== `${self}`) views.push(this.view(Number(name), this.board.about(name)));
    for (const known of this.board.youngest(most)) {
      if (views.length >= most) break;
      if (!names.has(known.node)) views.push(this.view(Number(known.node), known));
    }
    return views;
  }

  private view(number: number, { facts, gone, ageSeconds }: Known<Heartbeat>): NodeView {
    const { name, address, controlPort, dataPort } = at(this.ports.addresses, number);
    return {
      name,
      number,
      address,
      controlPort,
      dataPort,
      self: number === this.ports.self,
      state: gone === null ? (facts?.state ?? 'down') : 'down',
      why: gone,
      lastSeenSeconds: ageSeconds,
      facts,
    };
  }

  believes(node: number): boolean {
    return this.board.about(at(this.ports.addresses, node).name).gone === null;
  }
}
