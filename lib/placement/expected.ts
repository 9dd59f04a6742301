/**
 * What is on its way: news of a node does not yet hold what has been sent there since, and a load is measured over some seconds. Until the news
 * is younger than the sending a process counts where it went, and no more where it was; else one piece of stale news would send everybody there.
 */
import type { Clock } from '../shared/clock.js';

/** A load is the mean of so long. */
export const LOAD_WINDOW_SECONDS = 2;
/** A process sent longer ago is in all news, or they are too old to go by. */
const LONGEST_SECONDS = 120;

interface Change {
  node: string;
  runnable: number;
  memoryBytes: number;
  atSeconds: number;
}

export class ExpectedLoads {
  private changes: Change[] = [];

  constructor(private readonly clock: Clock) {}

  moved(from: string, to: string, runnable: number, memoryBytes: number): void {
    const atSeconds = this.clock.seconds();
    this.changes.push({ node: from, runnable: -runnable, memoryBytes: -memoryBytes, atSeconds });
    this.changes.push({ node: to, runnable, memoryBytes, atSeconds });
  }

  /** A program starts there. */
  started(node: string, memoryBytes: number): void {
    this.changes.push({ node, runnable: 1, memoryBytes, atSeconds: this.clock.seconds() });
  }

  /**
   * What the node has beside what its news say.
   * @param newsSeconds age of the news.
   */
  at(node: string, newsSeconds: number): { runnable: number; memoryBytes: number } {
    const now = this.clock.seconds();
    let runnable = 0;
    let memoryBytes = 0;
    for (const change of this.changes) {
      if (change.node !== node) continue;
      const passed = now - change.atSeconds;
      // So much of the window that was measured lies after the change.
      const seen = Math.min(1, Math.max(0, (passed - newsSeconds) / LOAD_WINDOW_SECONDS));
      runnable += change.runnable * (1 - seen);
      if (passed - newsSeconds < 1) memoryBytes += change.memoryBytes;
    }
    return { runnable, memoryBytes };
  }

  /** Forgets what no news lack that are young enough to go by. */
  sweep(): void {
    const now = this.clock.seconds();
    this.changes = this.changes.filter(({ atSeconds }) => now - atSeconds <= LONGEST_SECONDS);
  }
}
