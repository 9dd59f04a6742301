/** What happened last on this node, numbered, for whoever wants to be told. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../shared/clock.js';
import type { Event, EventFields, EventType } from '../shared/events.js';
import { DOCUMENT_VERSION } from '../shared/version.js';
import type { Caller } from './permission.js';

/** Of whose business an event is: everybody's, one user's, or (null) only of those who see all. */
export type Audience = 'everyone' | number | null;

export interface Told {
  number: number;
  event: Event;
  /** As it is written to every stream. */
  text: string;
  audience: Audience;
}

/** So many are remembered, for those who were away for a while. */
const REMEMBERED = 1024;
const LONGEST_COMMAND = 4096;

/** One server-sent event (WHATWG HTML 9.2). */
export const frame = (event: Event): string => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

export const concerns = ({ audience }: Told, caller: Caller): boolean =>
  caller.seesAll || audience === 'everyone' || (audience !== null && audience === caller.uid);

export class EventBook {
  /** Tells this life of the daemon from others, whose numbers mean other events. */
  private readonly life = randomBytes(4).toString('hex');
  private readonly remembered: Told[] = [];
  private readonly listeners = new Set<(told: Told) => void>();
  private last = 0;

  constructor(
    private readonly node: string,
    private readonly clock: Clock,
  ) {}

  tell<T extends EventType>(type: T, fields: EventFields<T>, audience: Audience): void {
    const number = ++this.last;
    const event = this.event(type, fields, number);
    const told: Told = { number, event, text: frame(event), audience };
    this.remembered.push(told);
    if (this.remembered.length > REMEMBERED) this.remembered.shift();
    for (const listener of this.listeners) listener(told);
  }

  /** Where a stream can be taken up again, after the event of this number. */
  idOf(number: number): string {
    return `${this.life}-${number}`;
  }

  /** An event that is not remembered: of one stream only. */
  event<T extends EventType>(type: T, fields: EventFields<T>, number: number): Event {
    const head = { version: DOCUMENT_VERSION, id: this.idOf(number), at: this.clock.wallSeconds(), node: this.node, type };
    const cut = 'command' in fields ? { command: (fields.command as string).slice(0, LONGEST_COMMAND) } : {};
    return { ...head, ...fields, ...cut } as unknown as Event;
  }

  /** Calls back at each event; the answer ends that. */
  listen(listener: (told: Told) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What is remembered after the event of this id; `missed`: not all of it is. Without an id nothing, for it begins now. */
  since(id: string | undefined): { told: Told[]; after: number; missed: boolean } {
    if (id === undefined) return { told: [], after: this.last, missed: false };
    const forgotten = (this.remembered[0]?.number ?? this.last + 1) - 1;
    const [, life, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
    const asked = life === this.life ? Math.min(Number(digits), this.last) : -1;
    const told = this.remembered.filter((one) => one.number > asked);
    return { told, after: Math.max(asked, forgotten), missed: id !== '0' && asked < forgotten };
  }
}
