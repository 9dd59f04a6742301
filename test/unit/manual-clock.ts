import type { Clock } from '../../lib/shared/clock.js';

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  private now = 1000;
  private readonly calls = new Map<object, { at: number; call: () => void }>();

  wallSeconds(): number {
    return this.now;
  }

  seconds(): number {
    return this.now;
  }

  after(seconds: number, call: () => void): () => void {
    const key = {};
    this.calls.set(key, { at: this.now + seconds, call });
    return () => {
      this.calls.delete(key);
    };
  }

  /** Lets time pass, and what promises have to do by then be done. */
  async advance(seconds: number): Promise<void> {
    this.now += seconds;
    for (const [key, { at, call }] of this.calls) {
      if (at > this.now + 1e-9) continue;
      this.calls.delete(key);
      call();
    }
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
}
