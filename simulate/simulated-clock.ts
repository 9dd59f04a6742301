/** Time that passes as fast as the work in it is done. */
import type { Clock } from '../lib/shared/clock.js';

interface Call {
  at: number;
  order: number;
  call: () => void;
  cancelled: boolean;
  /** It begins nothing that goes on when promises settle. */
  isPlain: boolean;
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Calls due at the same moment are made in the order they were asked for. */
export class SimulatedClock implements Clock {
  private now = 0;
  private asked = 0;
  /** A binary heap, the next call first. */
  private readonly heap: Call[] = [];

  seconds(): number {
    return this.now;
  }

  wallSeconds(): number {
    return this.now;
  }

  after(seconds: number, call: () => void): () => void {
    return this.ask(seconds, call, false);
  }

  /** The same clock, for calls that begin nothing that goes on when promises settle: nothing is waited for after them, which costs more than most. */
  readonly plain: Clock = {
    seconds: () => this.now,
    wallSeconds: () => this.now,
    after: (seconds, call) => this.ask(seconds, call, true),
  };

  private ask(seconds: number, call: () => void, isPlain: boolean): () => void {
    const entry: Call = { at: this.now + seconds, order: this.asked++, call, cancelled: false, isPlain };
    this.push(entry);
    return () => {
      entry.cancelled = true;
    };
  }

  /** Makes all calls that are due until then, those included that they ask for. */
  runUntil(seconds: number): void {
    for (let next = this.heap[0]; next && next.at <= seconds; next = this.heap[0]) {
      this.pop();
      this.now = next.at;
      if (!next.cancelled) next.call();
    }
    this.now = seconds;
  }

  /** As `runUntil`, where the calls do more when promises settle: all that follows from one is done before the next. */
  async settleUntil(seconds: number): Promise<void> {
    await settled();
    for (let next = this.heap[0]; next && next.at <= seconds; next = this.heap[0]) {
      this.pop();
      this.now = next.at;
      if (next.cancelled) continue;
      next.call();
      if (!next.isPlain) await settled();
    }
    this.now = seconds;
  }

  private isBefore(one: number, other: number): boolean {
    const [a, b] = [this.heap[one], this.heap[other]];
    return a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));
  }

  private swap(one: number, other: number): void {
    const [a, b] = [this.heap[one], this.heap[other]];
    if (!a || !b) return;
    this.heap[one] = b;
    this.heap[other] = a;
  }

  private push(entry: Call): void {
    this.heap.push(entry);
    for (let at = this.heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(at, parent)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  private pop(): void {
    this.swap(0, this.heap.length - 1);
    this.heap.pop();
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < this.heap.length && this.isBefore(left, least)) least = left;
      if (right < this.heap.length && this.isBefore(right, least)) least = right;
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }
}
