/** The stream of events, taken up again where it broke off. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Event } from '../shared/events.js';
import { MosrunError } from '../shared/errors.js';
import type { Client } from './client.js';

export interface EventsOptions {
  /** Ends the iteration, by throwing its reason. */
  signal?: AbortSignal;
  /** The `id` of an event, to go on after it; `0`: from the oldest that the daemon remembers. Otherwise from now on. */
  after?: string;
}

const SHORTEST_PAUSE_SECONDS = 0.1;
const LONGEST_PAUSE_SECONDS = 2;

export interface EventStream extends AsyncGenerator<Event, void> {
  /** Settles when the stream is there: nothing that happens afterwards is missed. Rejects where it cannot be had at first. */
  readonly connected: Promise<void>;
}

/** Server-sent events as the daemon writes them: one line of data in each. The first tells a place to go on from, and nothing else. */
async function* parse(incoming: IncomingMessage): AsyncGenerator<{ id: string; event: Event | null }> {
  let rest = '';
  for await (const more of incoming.setEncoding('utf8')) {
    const blocks = (rest + (more as string)).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, id] = /^id: (.*)$/m.exec(block) ?? [];
      const [, data] = /^data: (.*)$/m.exec(block) ?? [];
      if (id !== undefined) yield { id, event: data === undefined ? null : (JSON.parse(data) as Event) };
    }
  }
}

/** What another try does not change. */
const isFinal = (error: unknown): boolean => error instanceof MosrunError && ['not-permitted', 'usage'].includes(error.code);

export function followEvents(client: Client, { signal, after }: EventsOptions): EventStream {
  const connect = (from: string | undefined): Promise<IncomingMessage> =>
    client.send('GET /v1/events', { headers: from === undefined ? {} : { 'last-event-id': from } }, signal);
  // Asked for at once, not at the first step of the iteration, where it is tried again if need be.
  const first = connect(after);
  const connected = first.then(() => {});
  connected.catch(() => {});

  const follow = async function* (): AsyncGenerator<Event, void> {
    let connection = first;
    let last = after;
    let seconds = SHORTEST_PAUSE_SECONDS;
    for (;;) {
      try {
        const incoming = await connection;
        seconds = SHORTEST_PAUSE_SECONDS;
        try {
          for await (const { id, event } of parse(incoming)) {
            last = id;
            if (event) yield event;
          }
        } finally {
          incoming.destroy();
        }
      } catch (error) {
        if (!client.isClosed && isFinal(error)) throw error;
      }
      signal?.throwIfAborted();
      if (client.isClosed) return;
      await pause(seconds * 1000, undefined, signal ? { signal } : {});
      seconds = Math.min(LONGEST_PAUSE_SECONDS, seconds * 2);
      connection = connect(last);
    }
  };
  return Object.assign(follow(), { connected });
}
