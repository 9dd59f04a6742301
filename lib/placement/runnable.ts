/** How many threads run or want to on this node: the mean of a few looks, for one look says little. */
import type { Clock } from '../shared/clock.js';
import { LOAD_WINDOW_SECONDS } from './expected.js';

const LOOKS = 4;

export class RunnableMeter {
  private looks: number[] = [];
  private cancel = (): void => {};

  /** @param count those that run or want to at this moment. */
  constructor(
    private readonly clock: Clock,
    private readonly count: () => number,
  ) {}

  start(): void {
    this.looks = [...this.looks, this.count()].slice(-LOOKS);
    this.cancel = this.clock.after(LOAD_WINDOW_SECONDS / LOOKS, () => {
      this.start();
    });
  }

  stop(): void {
    this.cancel();
  }

  get mean(): number {
    return this.looks.length === 0 ? 0 : this.looks.reduce((sum, one) => sum + one, 0) / this.looks.length;
  }
}
