/** Readers of events, each with a stream: never more than a bounded number of events waits for a slow one. */
import type { Clock } from '../shared/clock.js';
import { type EventBook, type Told, concerns, frame } from './event-book.js';
import type { Caller } from './permission.js';

/** More than is remembered, so that a replay alone drops nobody. */
const LONGEST_QUEUE = 2048;
const LONGEST_CHUNK_CHARACTERS = 64 * 1024;
/** Said when nothing happens, so that both sides notice when the other has gone. */
const KEEP_ALIVE_SECONDS = 15;
const FLUSH_SECONDS = 0.05;

class Reader {
  private queue: { text: string; number: number }[] = [];
  /** Number of the last event that the reader has got. */
  private delivered = 0;
  private isOver = false;
  private wake = (): void => {};
  private cancelTimer = (): void => {};

  /** @param onOver called once, when nothing more is to be told to it. */
  constructor(
    private readonly book: EventBook,
    private readonly clock: Clock,
    private readonly onOver: () => void,
  ) {}

  /** @param number of the event, or of the one that the reader had before. */
  add(text: string, number: number): void {
    if (this.isOver) return;
    this.queue.push({ text, number });
    if (this.queue.length > LONGEST_QUEUE) {
      this.queue = [];
      this.end('the reader is too slow: connect again', this.delivered);
    }
    this.wake();
  }

  end(message: string, number: number): void {
    this.queue.push({ text: frame(this.book.event('stream-ended', { message }, number)), number });
    this.letGo();
  }

  letGo(): void {
    this.isOver = true;
    this.cancelTimer();
    this.wake();
    this.onOver();
  }

  /** The next piece, as soon as there is one; null when all is said. */
  async next(): Promise<string | null> {
    if (this.queue.length === 0 && !this.isOver) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        this.cancelTimer = this.clock.after(KEEP_ALIVE_SECONDS, resolve);
      });
      this.cancelTimer();
      if (this.queue.length === 0 && !this.isOver) return ': nothing new\n\n';
    }
    let text = '';
    while (text.length < LONGEST_CHUNK_CHARACTERS) {
      const first = this.queue.shift();
      if (!first) break;
      text += first.text;
      this.delivered = first.number;
    }
    return text === '' ? null : text;
  }
}

export class EventStreams {
  private readonly readers = new Set<Reader>();

  constructor(
    private readonly book: EventBook,
    private readonly clock: Clock,
  ) {}

  get count(): number {
    return this.readers.size;
  }

  /** @param lastId of the event after which to go on; undefined: from now on. */
  open(caller: Caller, lastId: string | undefined): ReadableStream<Uint8Array> {
    const { book, clock, readers } = this;
    const take = (told: Told): void => {
      if (concerns(told, caller)) reader.add(told.text, told.number);
    };
    const stopListening = book.listen(take);
    const reader = new Reader(book, clock, () => {
      stopListening();
      readers.delete(reader);
    });
    readers.add(reader);

    const { told, after, missed } = book.since(lastId);
    // Said at once: the reader knows that it is connected, and where to go on should that break before anything happens.
    reader.add(`id: ${book.idOf(after)}\n\n`, after);
    if (missed) {
      const message = 'some are not remembered any more, or the daemon was started again';
      reader.add(frame(book.event('events-missed', { message }, after)), after);
    }
    for (const one of told) take(one);

    const encoder = new TextEncoder();
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const text = await reader.next();
        if (text === null) controller.close();
        else controller.enqueue(encoder.encode(text));
      },
      cancel() {
        reader.letGo();
      },
    });
  }

  /** Ends all streams, each with a last event that says why; settles when readers that read can have got it. */
  async close(message: string): Promise<void> {
    if (this.readers.size === 0) return;
    const { after } = this.book.since(undefined);
    for (const reader of this.readers) reader.end(message, after);
    await new Promise<void>((resolve) => void this.clock.after(FLUSH_SECONDS, resolve));
  }
}
