/** Gives back what the daemon's own start, and storms of moves, have left of memory: between them it needs little. */
import type { Addon } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';

const FIRST_SECONDS = 5;
const AGAIN_SECONDS = 60;

export class Thrift {
  private cancel = (): void => {};

  constructor(
    private readonly clock: Clock,
    private readonly addon: Pick<Addon, 'trim'>,
  ) {}

  start(seconds = FIRST_SECONDS): void {
    this.cancel = this.clock.after(seconds, () => {
      this.addon.trim();
      this.start(AGAIN_SECONDS);
    });
  }

  stop(): void {
    this.cancel();
  }
}
