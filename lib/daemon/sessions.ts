/** What this node asks of others before one of its processes goes there. */
import { createHmac, randomInt } from 'node:crypto';
import { type Membership, type PeerClient, clusterOf } from '../cluster/index.js';
import type { Route } from '../engine/index.js';
import {
  type OnwardGrant,
  type SessionGrant,
  type Whereabouts,
  hasEnded,
  innermostPid,
  movableBytes,
  readFacts,
} from '../processes/index.js';
import { MosrunError } from '../shared/errors.js';
import { FROZEN } from '../shared/frozen.js';
import {
  type LinkRequest,
  type SessionAnswer,
  type SessionRequest,
  type SessionUsage,
  admission,
  linkAnswer,
  sessionAnswer,
  sessionDropped,
  sessionUsage,
  type ProcessUsage,
  sessionUsages,
  MOST_LINKS,
} from '../shared/wire.js';
import type { Freezer } from './freezer.js';
import type { MoveSessions } from './residents.js';
import { checkIsUp, findNode } from './services.js';

export interface SessionsPorts {
  self: string;
  freezer: Freezer;
  /** All that leaves this node or comes to it goes encrypted. */
  encrypts: () => boolean;
  /** Throws where nothing leaves this node any more. */
  checkTakesPart: () => void;
  members: Membership;
  peers: PeerClient;
  connectSeconds: () => number;
  requestFor: (pid: number, guest: SessionUsage | null) => Omit<SessionRequest, 'automatic' | 'withheld'>;
  /** Why the process does not go to that node, whatever that says; null: it may. */
  whyNotTo: (node: string, pid: number, abroad?: boolean) => string | null;
  /** It may go there only with the rights of an ordinary user's program. */
  asOrdinary: (node: string) => boolean;
  /** Makes way for encrypted channels; the number of the mosseal they are to be opened over. */
  route: (route: Route) => Promise<number>;
  unroute: (session: string) => Promise<void>;
}

/** Of more sessions it is not said which: a request has 16 KiB at most. */
const MOST_NAMED = 512;
/** Memory that is worth several streams to the next node: kLarge of native/mover/precopy.cc. */
const LARGE_BYTES = 32 * 2 ** 20;

/** The key for a session's memory channel alone, so that the node a process leaves learns no more: MemoryLabel in native/stub/wire.h. */
function memoryKey(token: string): string {
  const label = Buffer.alloc(16);
  label.write('mosrun memory');
  return createHmac('sha256', Buffer.from(token, 'hex')).update(label).digest('hex');
}

export class Sessions {
  constructor(private readonly ports: SessionsPorts) {}

  get forMoves(): MoveSessions {
    const { checkTakesPart, freezer } = this.ports;
    return {
      askSession: async (name, pid, automatic) => {
        if (name !== FROZEN) checkTakesPart();
        return this.ask(name, pid, null, automatic);
      },
      askOnward: async (from, session, to, pid, automatic) => {
        if (to !== FROZEN) checkTakesPart();
        return this.askOnward(from, session, to, pid, automatic);
      },
      dropSession: (name, session) => {
        this.drop(name, session);
      },
      askUsage: (name, session) => this.usage(name, session),
      onFrozen: (session, bytes) => {
        freezer.arrived(session, bytes);
      },
    };
  }

  /** May process `pid` come? Throws with the reason when not. */
  async ask(name: string, pid: number, guest: SessionUsage | null, automatic: boolean): Promise<SessionGrant> {
    if (name === FROZEN) return this.askFreezer(pid, guest, automatic);
    const { members, peers, requestFor } = this.ports;
    const destination = findNode(members, name);
    checkIsUp(destination);
    const connectSeconds = this.ports.connectSeconds();
    const bounds = { connectSeconds, timeoutSeconds: 2 * connectSeconds };
    const body = { ...requestFor(pid, guest), automatic };
    const withheld = this.ports.whyNotTo(name, pid);
    if (withheld !== null) {
      // Who expects it there is told too; it need not be heard.
      const question = { method: 'POST', path: '/v1/admissions', body: { ...body, withheld }, ...bounds } as const;
      peers.ask(destination, question, admission).catch(() => {});
      throw new MosrunError('refused', `process ${pid} does not go to ${name}: ${withheld}`);
    }
    const answer = await peers.ask(destination, { method: 'POST', path: '/v1/sessions', body, ...bounds }, sessionAnswer);
    try {
      // What another cluster's node says is not to have us connect to whomever it likes.
      if (clusterOf(name) !== null && answer.address !== destination.address)
        throw new MosrunError('protocol', `${name} names another address for its data port than its own: look after ${name}`);
      return { ...answer, seal: await this.sealFor(name, answer, body.encrypt), ordinary: this.ports.asOrdinary(name) };
    } catch (error) {
      this.drop(name, answer.session);
      throw error;
    }
  }

  /** From here it comes over no network. */
  private async askFreezer(pid: number, guest: SessionUsage | null, automatic: boolean): Promise<SessionGrant> {
    const { freezer, requestFor, encrypts, self } = this.ports;
    const encrypted = guest !== null && (guest.encrypted || encrypts());
    const answer = await freezer.open(pid, requestFor(pid, guest).memory_bytes, encrypted, !automatic);
    try {
      return { ...answer, seal: await this.sealFor(self, { ...answer, encrypted }, encrypted), ordinary: false };
    } catch (error) {
      this.drop(FROZEN, answer.session);
      throw error;
    }
  }

  /** 0: nothing is encrypted. */
  private async sealFor(name: string, answer: SessionAnswer, wanted: boolean): Promise<number> {
    const { session, token, address, port, encrypted } = answer;
    if (wanted && !encrypted)
      throw new MosrunError('refused', `${name} does not encrypt, though it was asked to: nothing goes there`);
    return encrypted ? this.ports.route({ session, kind: 'session', key: token, address, port }) : 0;
  }

  /** As `ask`, for a process that `from` hosts in session `session`; and has `from` open the channel between the two. */
  async askOnward(from: string, session: string, to: string, pid: number, automatic: boolean): Promise<OnwardGrant> {
    if (from !== FROZEN) checkIsUp(findNode(this.ports.members, from));
    const guest = await this.usage(from, session);
    if (!guest.running) throw new MosrunError('busy', `process ${pid} is not on ${from} any more: order it again`);
    const inner = innermostPid(pid);
    if (inner === null) throw new MosrunError('not-found', `process ${pid} has ended: nothing to move`);
    const grant = await this.ask(to, pid, guest, automatic);
    const memory = randomInt(1, MOST_LINKS + 1);
    const { token, address, port, seal } = grant;
    const key = memoryKey(token);
    // What is on disk, or goes there, has no way to be long.
    const large = from !== FROZEN && to !== FROZEN && (guest.memory_bytes ?? 0) >= LARGE_BYTES;
    const body: LinkRequest = { pid: inner, session: grant.session, key, address, port, memory, large, encrypted: seal !== 0 };
    try {
      await this.link(from, session, body);
    } catch (error) {
      this.drop(to, grant.session);
      // Its guest goes with it, and the other node knows no more than that there is none.
      const facts = readFacts(pid);
      if (!facts || hasEnded(facts)) throw new MosrunError('not-found', `process ${pid} has ended: nothing to move`);
      const gone = await this.usage(from, session).then(
        ({ running }) => !running,
        () => true,
      );
      throw gone ? new MosrunError('busy', `process ${pid} is not on ${from} any more: order it again`) : error;
    }
    return { ...grant, memory };
  }

  private async link(from: string, session: string, body: LinkRequest): Promise<void> {
    const { members, peers, freezer } = this.ports;
    if (from === FROZEN) return freezer.link(session, body);
    const connectSeconds = this.ports.connectSeconds();
    const bounds = { connectSeconds, timeoutSeconds: 4 * connectSeconds };
    await peers.ask(
      findNode(members, from),
      { method: 'POST', path: `/v1/sessions/${session}/link`, body, ...bounds },
      linkAnswer,
    );
  }

  /**
   * Why that node would not take process `pid` now; null when it would. Nothing is opened.
   * @param abroad it may go to other clusters, whatever its job says.
   */
  async refusal(name: string, pid: number, abroad?: boolean): Promise<string | null> {
    const { members, peers, requestFor } = this.ports;
    const withheld = this.ports.whyNotTo(name, pid, abroad);
    if (withheld !== null) return withheld;
    const connectSeconds = this.ports.connectSeconds();
    const question = { method: 'POST', path: '/v1/admissions', connectSeconds, timeoutSeconds: connectSeconds } as const;
    return (await peers.ask(findNode(members, name), { ...question, body: requestFor(pid, null) }, admission)).refusal;
  }

  /** What a session of this node's has used there. */
  async usage(name: string, session: string): Promise<SessionUsage> {
    if (name === FROZEN) return this.ports.freezer.usage(session);
    const bounds = { connectSeconds: this.ports.connectSeconds(), timeoutSeconds: 5 };
    const question = { method: 'GET', path: `/v1/sessions/${session}`, ...bounds } as const;
    return this.ports.peers.ask(findNode(this.ports.members, name), question, sessionUsage);
  }

  /** What a process of this node's would bring home from where it is. */
  async memoryOf(pid: number, { node, session }: Pick<Whereabouts, 'node' | 'session'>): Promise<number> {
    if (node === null || session === null) return movableBytes(pid);
    return (await this.usage(node, session)).memory_bytes ?? movableBytes(pid);
  }

  /** What each process of this node's in those sessions there has used. A node of an older version tells of all. */
  async usages(name: string, sessions: readonly string[]): Promise<ProcessUsage[]> {
    const bounds = { connectSeconds: this.ports.connectSeconds(), timeoutSeconds: 5 };
    const few = sessions.length <= MOST_NAMED ? `?sessions=${sessions.join(',')}` : '';
    const question = { method: 'GET', path: `/v1/sessions${few}`, ...bounds } as const;
    return (await this.ports.peers.ask(findNode(this.ports.members, name), question, sessionUsages)).processes;
  }

  /** Nobody will come for it. A node that cannot be told forgets it by itself. */
  drop(name: string, session: string): void {
    void this.ports.unroute(session);
    if (name === FROZEN) {
      this.ports.freezer.drop(session);
      return;
    }
    const destination = this.ports.members.find(name);
    if (!destination) return;
    const bounds = { connectSeconds: 1, timeoutSeconds: 2 };
    const question = { method: 'DELETE', path: `/v1/sessions/${session}`, ...bounds } as const;
    this.ports.peers.ask(destination, question, sessionDropped).catch(() => {});
  }
}
